/** Path → source. */
export type SourceTree = Readonly<Record<string, string>>;

const lines = (...statements: string[]) => statements.map((statement) => `${statement}\n`).join('');
const uses = (...paths: string[]) => lines(...paths.map((path) => `import '${path}';`));

/** The smallest house with every kind of room, in which nothing is wrong. */
export const cleanTree: SourceTree = {
  'package.json': JSON.stringify({ type: 'module', dependencies: { needed: '1' }, devDependencies: { tool: '1' } }),
  'node_modules/needed/package.json': JSON.stringify({ name: 'needed', version: '1.0.0', main: 'index.js' }),
  'node_modules/needed/index.js': '',
  'node_modules/tool/package.json': JSON.stringify({ name: 'tool', version: '1.0.0', main: 'index.js' }),
  'node_modules/tool/index.js': '',
  'node_modules/stray/package.json': JSON.stringify({ name: 'stray', version: '1.0.0', main: 'index.js' }),
  'node_modules/stray/index.js': '',

  'migrations/0001-create-images.ts': '',
  'migrations/index.ts': uses('./0001-create-images.js'),

  'src/main.ts': uses('./app.module.js'),
  'src/cli.ts': uses('./platform/clock.js', './images/images.commands.js'),
  'src/app.module.ts': uses(
    './platform/database/database.module.js',
    ...['access', 'tasks', 'embeddings', 'storage', 'documents', 'images', 'places', 'products', 'catalogs'].map(
      (module) => `./${module}/index.js`,
    ),
    './maintenance/index.js',
  ),

  'src/platform/clock.ts': '',
  'src/platform/database/database.module.ts': uses('./migrate.js'),
  'src/platform/database/migrate.ts': uses('../../../migrations/index.js', 'needed'),
  'src/access/index.ts': uses('./tokens.js'),
  'src/access/tokens.ts': uses('../platform/clock.js'),
  'src/tasks/index.ts': uses('./define-task.js', '../access/index.js'),
  'src/tasks/define-task.ts': '',
  'src/tasks/testing.ts': uses('./define-task.js'),
  'src/embeddings/index.ts': uses('../tasks/index.js'),
  'src/storage/index.ts': uses('../tasks/index.js', './blobs.js'),
  'src/storage/blobs.ts': '',
  'src/documents/index.ts': uses('../storage/index.js'),
  'src/places/index.ts': uses('../images/index.js'),
  'src/products/index.ts': uses('../documents/index.js'),
  'src/catalogs/index.ts': uses('../places/index.js', '../images/index.js'),
  'src/maintenance/index.ts': uses('../products/index.js'),

  'src/images/index.ts': uses('./images.module.js'),
  'src/images/images.module.ts': uses('./images.controller.js', './tasks/scan.task.js', './image.entity.js'),
  'src/images/images.controller.ts': uses('./images.service.js', './dto/image.dto.js', './tasks/scan.task.js'),
  'src/images/images.commands.ts': uses('./images.service.js', './tasks/scan.task.js'),
  'src/images/images.service.ts': uses('./images.repository.js', './capture-time.js', '../storage/index.js'),
  'src/images/images.service.spec.ts': uses('./images.service.js', '../tasks/testing.js', 'tool'),
  'src/images/images.repository.ts': uses('./image.entity.js', './images.sql.js'),
  'src/images/images.sql.ts': '',
  'src/images/image.entity.ts': '',
  'src/images/capture-time.ts': lines(`import type { Tool } from 'tool';`),
  'src/images/dto/image.dto.ts': uses('../capture-time.js'),
  'src/images/tasks/scan.task.ts': uses('../../tasks/index.js', '../images.service.js'),
};

export interface PlantedViolation {
  /** The one rule that must catch it. */
  readonly rule: string;
  /** Appended to the files of the clean tree. */
  readonly plant: SourceTree;
}

const violation = (rule: string, plant: SourceTree): PlantedViolation => ({ rule, plant });

export const plantedViolations: readonly PlantedViolation[] = [
  violation('platform-knows-nothing-above', {
    'src/console/index.ts': '',
    'src/platform/clock.ts': uses('../console/index.js'),
  }),
  violation('access-knows-nothing-above', {
    'src/facts/index.ts': '',
    'src/access/tokens.ts': uses('../facts/index.js'),
  }),
  violation('tasks-knows-nothing-above', {
    'src/facts/index.ts': '',
    'src/tasks/define-task.ts': uses('../facts/index.js'),
  }),
  violation('tier-0-knows-nothing-above', { 'src/embeddings/index.ts': uses('../images/index.js') }),
  violation('tier-1-knows-nothing-above', { 'src/documents/index.ts': uses('../places/index.js') }),
  violation('tier-2-knows-nothing-above', { 'src/products/index.ts': uses('../catalogs/index.js') }),
  violation('tier-3-knows-nothing-above', { 'src/catalogs/index.ts': uses('../maintenance/index.js') }),

  violation('tier-0-features-never-meet', { 'src/embeddings/index.ts': uses('../storage/index.js') }),
  violation('tier-1-features-never-meet', { 'src/images/images.service.ts': uses('../documents/index.js') }),
  violation('tier-2-features-never-meet', { 'src/products/index.ts': uses('../places/index.js') }),
  violation('tier-3-features-never-meet', {
    'src/console/index.ts': '',
    'src/catalogs/index.ts': uses('../console/index.js'),
  }),

  violation('every-module-has-a-tier', {
    'src/gadgets/index.ts': '',
    'src/app.module.ts': uses('./gadgets/index.js'),
  }),
  violation('nobody-imports-an-entry-point', {
    'src/settings-of-the-root.ts': '',
    'src/images/images.commands.ts': uses('../settings-of-the-root.js'),
  }),
  violation('modules-meet-at-index', { 'src/images/images.service.ts': uses('../storage/blobs.js') }),
  violation('modules-meet-at-index', {
    'src/images/capture-time.ts': lines(`import type { Blobs } from '../storage/blobs.js';`),
  }),
  violation('entry-points-compose-public-faces', { 'src/cli.ts': uses('./images/images.service.js') }),
  violation('one-index-per-module', {
    'src/images/reading/index.ts': '',
    'src/images/images.service.ts': uses('./reading/index.js'),
  }),
  violation('one-index-per-module', { 'src/platform/index.ts': '', 'src/main.ts': uses('./platform/index.js') }),
  violation('entities-stay-in-their-module', { 'src/images/index.ts': uses('./image.entity.js') }),

  violation('only-edges-enqueue', {
    'src/images/tasks/render.task.ts': '',
    'src/images/images.service.ts': uses('./tasks/render.task.js'),
  }),
  violation('only-edges-enqueue', {
    'src/images/tasks/render.task.ts': '',
    'src/images/capture-time.ts': lines(`const render = await import('./tasks/render.task.js');`),
  }),
  violation('services-know-no-edge', { 'src/images/images.service.ts': uses('./dto/image.dto.js') }),
  violation('services-know-no-edge', {
    'src/images/images.triggers.ts': '',
    'src/images/images.service.ts': uses('./images.triggers.js'),
  }),
  violation('repositories-know-no-service', {
    'src/images/naming.service.ts': '',
    'src/images/images.repository.ts': uses('./naming.service.js'),
  }),
  violation('entities-know-no-layer-above', {
    'src/images/other.repository.ts': '',
    'src/images/image.entity.ts': uses('./other.repository.js'),
  }),
  violation('edges-go-through-the-service', { 'src/images/images.controller.ts': uses('./images.repository.js') }),
  violation('edges-go-through-the-service', { 'src/images/tasks/scan.task.ts': uses('../images.sql.js') }),
  violation('edges-go-through-the-service', {
    'src/images/dto/image.dto.ts': lines(`import type { Image } from '../image.entity.js';`),
  }),

  violation('migrations-import-nothing', { 'migrations/0001-create-images.ts': uses('../src/platform/clock.js') }),
  violation('only-the-database-runs-migrations', { 'src/cli.ts': uses('../migrations/index.js') }),
  violation('production-code-imports-no-test-code', { 'src/images/images.service.ts': uses('../tasks/testing.js') }),
  violation('production-code-imports-no-test-code', {
    'test/support/an-image.ts': '',
    'src/images/capture-time.ts': uses('../../test/support/an-image.js'),
  }),
  violation('no-dev-dependency-at-run-time', { 'src/images/images.service.ts': uses('tool') }),
  violation('no-undeclared-dependency', { 'src/images/images.service.ts': uses('stray') }),
  violation('no-unresolvable-import', { 'src/images/images.service.ts': uses('./nowhere.js') }),
  violation('no-cycle', { 'src/images/capture-time.ts': uses('./images.service.js') }),
  violation('no-cycle', {
    'src/images/capture-time.ts': lines(`import type { Zone } from './zone.js';`),
    'src/images/zone.ts': lines(`import type { CaptureTime } from './capture-time.js';`),
  }),
  violation('no-orphan-module', { 'src/images/forgotten.ts': '' }),
  violation('no-orphan-module', { 'migrations/0002-not-in-the-list.ts': '' }),
];

/** The clean tree with a violation in it. */
export function withViolation({ plant }: PlantedViolation): SourceTree {
  const appended = Object.entries(plant).map(([path, source]) => [path, (cleanTree[path] ?? '') + source] as const);
  return { ...cleanTree, ...Object.fromEntries(appended) };
}
