import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Child, PROJECT_ROOT } from '../support/child.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../support/wait-for.js';

const run = promisify(execFile);
const SLOW = { timeoutMs: 60_000 };
const COPIED = [
  'src',
  'migrations',
  'test/support',
  'bin',
  'dist',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** The blocks of the page in one language, in order. */
const blocksOf = (page: string, language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, text = '']) => text);

/** Each run of `-` lines is in the file, as it is, and gives way to the `+` lines after it. */
function applied(diff: string, source: string): string {
  const changes = [...diff.matchAll(/((?:^-(?!--).*\n)+)((?:^\+.*\n)+)/gm)];
  expect(changes.length).toBeGreaterThan(0);
  return changes.reduce((text, [, before = '', after = '']) => {
    const [old, replacement] = [before, after].map((lines) => lines.replace(/^[-+]/gm, ''));
    expect(text.split(old ?? '')).toHaveLength(2);
    return text.replace(old ?? '', () => replacement ?? '');
  }, source);
}

describe('docs/adding-a-task.md, followed to the letter', () => {
  const token = randomBytes(20).toString('hex');
  let page: string;
  let project: string;
  let database: TestDatabase;
  let server: Child | undefined;

  beforeAll(async () => {
    database = await createTestDatabase();
    project = await mkdtemp(join(tmpdir(), 'photosafe-adding-'));
    for (const path of COPIED)
      await cp(join(PROJECT_ROOT, path), join(project, path), { recursive: true, preserveTimestamps: true });
    await symlink(join(PROJECT_ROOT, 'node_modules'), join(project, 'node_modules'));
    await cp(join(PROJECT_ROOT, 'jest.config.mjs'), join(project, 'jest.config.mjs'));
    page = await readFile(join(PROJECT_ROOT, 'docs', 'adding-a-task.md'), 'utf8');
  });

  afterAll(async () => {
    await server?.kill();
    await database.drop();
    await rm(project, { recursive: true, force: true });
  });

  const node = (...args: string[]): Promise<unknown> => run(process.execPath, args, { cwd: project });

  it('has files and a change of one module that compile, and a unit test that passes', async () => {
    const files = blocksOf(page, 'ts').map((text) => ({ path: /^\/\/ (\S+)\n/.exec(text)?.[1] ?? '', text }));
    expect(files.map(({ path }) => path)).toEqual([
      'src/catalogs/tasks/report-catalogs.task.ts',
      'src/catalogs/tasks/report-catalogs.task.spec.ts',
    ]);
    for (const { path, text } of files) await writeFile(join(project, path), text);
    for (const diff of blocksOf(page, 'diff')) {
      const path = join(project, /^--- (\S+)\n/.exec(diff)?.[1] ?? '');
      await writeFile(path, applied(diff, await readFile(path, 'utf8')));
    }
    await node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json');
    await node('node_modules/jest/bin/jest.js', '--selectProjects', 'unit', 'report-catalogs');
  });

  it('has requests that are answered as it says', async () => {
    const env = { ...process.env, DATABASE_URL: database.url, PHOTOSAFE_BOOTSTRAP_TOKEN: token };
    server = new Child(spawn(process.execPath, ['bin/photosafe.js', 'serve', '--port', '0'], { cwd: project, env }));
    const { url } = JSON.parse(await server.line(/"msg":"listening"/, SLOW)) as { url: string };
    const [create = '', list = '', wrong = ''] = blocksOf(page, 'sh');
    const ask = async (command: string): Promise<Record<string, unknown>> => {
      const script = command.replaceAll('http://127.0.0.1:3000', url);
      const { stdout } = await run('bash', ['-c', script], { env: { PATH: process.env.PATH, TOKEN: token } });
      return JSON.parse(stdout) as Record<string, unknown>;
    };

    const task = await ask(create);
    expect(task).toMatchObject({ type: 'report_catalogs', name: 'Report catalogues' });
    const done = await waitFor(
      'the task to end',
      async () => {
        const { items } = (await ask(list)) as { items: { id: string; status: string; result: unknown }[] };
        return items.find(({ id, status }) => id === task.id && !['queued', 'running'].includes(status));
      },
      SLOW,
    );
    expect(done).toMatchObject({ status: 'completed', result: {} });
    expect(await ask(wrong)).toMatchObject({
      status: 422,
      errors: [{ field: 'params.atleast', allowed: expect.stringContaining('at_least') as string }],
    });
  });
});
