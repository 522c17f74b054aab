// The house's walls. docs/architecture.md draws them; test/integration/house/boundaries.int-spec.ts plants one violation
// of every rule here and fails for a rule that has none. If a tier turns out wrong, move the feature and say so in
// docs/decisions/; do not add an exception.

/** From the ground up: a module may import those of lower tiers, never a neighbour of its own tier. */
const TIERS = [
  { name: 'platform', modules: ['platform'] },
  { name: 'access', modules: ['access'] },
  { name: 'tasks', modules: ['tasks'] },
  { name: 'tier-0', modules: ['embeddings', 'storage'] },
  { name: 'tier-1', modules: ['documents', 'facts', 'images'] },
  { name: 'tier-2', modules: ['places', 'products'] },
  { name: 'tier-3', modules: ['catalogs', 'console'] },
  { name: 'tier-4', modules: ['maintenance'] },
];

const inModules = (modules) => `^src/(${modules.join('|')})/`;
const ALL_MODULES = TIERS.flatMap((tier) => tier.modules);

/** The composition root: knows everybody, known by nobody. */
const ENTRY_POINT = '^src/[^/]+$';
const TEST_CODE = ['\\.spec\\.ts$', '^src/[^/]+/testing\\.ts$'];
/** A module's public face, and the two lists that compose the application. */
/** A module's face for HTTP: its controllers, and the DTOs that others' controllers answer with. */
const HTTP_FACE = '^src/[^/]+/[^/]+-http\\.module\\.ts$';
const WIRING = ['^src/[^/]+/index\\.ts$', '\\.module\\.ts$', ENTRY_POINT];
/** Where the outside world comes in: HTTP, the command line, events, attempts. Only edges enqueue. */
const EDGE = '\\.(controller|commands|triggers|task)\\.ts$';
const HTTP_SHAPE = '\\.dto\\.ts$';
/**
 * No import leads to them: the two entry points, what runs as a child process of its own, and the photos that are drawn
 * for the demo and, by another door, for the benchmarks.
 */
const STARTED = ['^src/(main|cli)\\.ts$', '\\.process\\.ts$', '^src/catalogs/sample-library/sample-library\\.ts$'];

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const tiersPointDown = TIERS.slice(0, -1).map((tier, index) =>
  forbid(
    `${tier.name}-knows-nothing-above`,
    `imports go down: ${TIERS.map((one) => one.name).join(' <- ')}`,
    { path: inModules(tier.modules) },
    { path: inModules(TIERS.slice(index + 1).flatMap((above) => above.modules)) },
  ),
);

const neighboursNeverMeet = TIERS.filter((tier) => tier.modules.length > 1).map((tier) =>
  forbid(
    `${tier.name}-features-never-meet`,
    'features of one tier know nothing of each other; what needs both belongs in a tier above them',
    { path: inModules(tier.modules) },
    { path: inModules(tier.modules), pathNot: '^src/$1/' },
  ),
);

const modules = [
  forbid(
    'every-module-has-a-tier',
    'a new folder under src/ must be given its tier at the top of this file',
    { path: '^src/' },
    { path: '^src/[^/]+/', pathNot: inModules(ALL_MODULES) },
  ),
  forbid(
    'nobody-imports-an-entry-point',
    'app.module, main and cli compose the modules; no module looks back at them',
    { path: '^src/[^/]+/' },
    { path: ENTRY_POINT },
  ),
  forbid(
    'modules-meet-at-index',
    'another module is used through its index.ts, its HTTP side through its -http.module.ts; platform is imported file by file',
    { path: '^src/([^/]+)/' },
    { path: '^src/[^/]+/', pathNot: ['^src/$1/', '^src/platform/', '^src/[^/]+/index\\.ts$', HTTP_FACE, ...TEST_CODE] },
  ),
  forbid(
    'entry-points-compose-public-faces',
    'an entry point sees index.ts files, modules and commands, and nothing deeper',
    { path: ENTRY_POINT, pathNot: TEST_CODE },
    { path: '^src/[^/]+/', pathNot: ['^src/platform/', '^src/[^/]+/index\\.ts$', '\\.(module|commands)\\.ts$'] },
  ),
  forbid(
    'one-index-per-module',
    'a second index.ts inside a module hides what it holds; platform has none, so that the CLI starts light',
    { path: '^src/' },
    { path: ['^src/[^/]+/.+/index\\.ts$', '^src/platform/index\\.ts$'] },
  ),
  forbid(
    'entities-stay-in-their-module',
    "an entity is a row and its module's own business; export a plain type instead",
    { path: '^src/[^/]+/index\\.ts$' },
    { path: '\\.entity\\.ts$' },
  ),
];

const layers = [
  forbid(
    'only-edges-enqueue',
    'a task is enqueued by a controller, command, trigger or another task: never by a service or what lies below it',
    { path: '^src/', pathNot: [EDGE, ...WIRING, ...TEST_CODE] },
    { path: '\\.task\\.ts$' },
  ),
  forbid(
    'services-know-no-edge',
    'edge -> service -> repository -> entity: a service does not know who asks, nor the shape of HTTP',
    { path: '\\.service\\.ts$' },
    { path: ['\\.(controller|commands|triggers)\\.ts$', HTTP_SHAPE] },
  ),
  forbid(
    'repositories-know-no-service',
    'edge -> service -> repository -> entity',
    { path: '\\.(repository|sql)\\.ts$' },
    { path: ['\\.service\\.ts$', '\\.(controller|commands|triggers)\\.ts$', HTTP_SHAPE] },
  ),
  forbid(
    'entities-know-no-layer-above',
    'edge -> service -> repository -> entity',
    { path: '\\.entity\\.ts$' },
    { path: ['\\.(service|repository|sql)\\.ts$', '\\.(controller|commands|triggers)\\.ts$', HTTP_SHAPE] },
  ),
  forbid(
    'edges-go-through-the-service',
    'edge -> service -> repository -> entity: an edge neither queries nor sees rows',
    { path: [EDGE, HTTP_SHAPE], pathNot: TEST_CODE },
    { path: '\\.(repository|sql|entity)\\.ts$' },
  ),
];

const surroundings = [
  forbid(
    'migrations-import-nothing',
    'a migration must do for ever what it did when it was merged: it may not depend on code that changes',
    { path: '^migrations/' },
    { path: '^src/' },
  ),
  forbid(
    'only-the-database-runs-migrations',
    'the list of migrations is read in one place',
    { path: '^src/', pathNot: '^src/platform/database/' },
    { path: '^migrations/' },
  ),
  forbid(
    'production-code-imports-no-test-code',
    "specs, a module's testing.ts and test/ are not there at run time",
    { path: '^(src|migrations)/', pathNot: TEST_CODE },
    { path: [...TEST_CODE, '^(test|bench|bin)/'] },
  ),
  forbid(
    'no-dev-dependency-at-run-time',
    'an installation with --omit=dev must start; types are free',
    { path: '^(src|migrations)/', pathNot: TEST_CODE },
    { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
  ),
  forbid(
    'no-undeclared-dependency',
    'a package that merely happens to be in node_modules may be gone after the next upgrade',
    { path: '^(src|migrations)/' },
    { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
  ),
  forbid('no-unresolvable-import', 'it would fail at run time', {}, { couldNotResolve: true }),
  forbid('no-cycle', 'not even of types: two modules that need each other are one', {}, { circular: true }),
  forbid(
    'no-orphan-module',
    'nothing starts it and nothing imports it',
    { path: STARTED },
    { path: '^(src|migrations)/', pathNot: [...STARTED, ...TEST_CODE, '\\.d\\.ts$'], reachable: false },
  ),
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [...tiersPointDown, ...neighboursNeverMeet, ...modules, ...layers, ...surroundings],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Type imports count too, and are told apart where a rule lets them pass.
    tsPreCompilationDeps: 'specify',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
