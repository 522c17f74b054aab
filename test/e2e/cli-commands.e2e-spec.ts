import { photosafe, startPhotosafe } from '../support/photosafe.js';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/test-database.js';

describe('the command line', () => {
  it('tells its version and its commands', async () => {
    const [version, help, groupHelp] = await Promise.all(
      [['--version'], ['--help'], ['token', '--help']].map((args) => photosafe(args)),
    );
    expect([version?.code, version?.stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
    expect([help?.code, help?.stderr]).toEqual([0, '']);
    for (const command of ['serve', 'worker', 'migrate', 'doctor', 'token'])
      expect(help?.stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(help?.stdout).not.toContain('snapshots'); // for developers
    expect([groupHelp?.code, groupHelp?.stdout]).toEqual([0, expect.stringContaining('revoke [options] <token>')]);
  });

  it('ends with 2 and a hint for a command line that is wrong', async () => {
    const hints = {
      '': 'Usage: photosafe',
      token: 'Usage: photosafe token',
      serv: 'Did you mean serve?',
      'token lst': 'Did you mean photosafe token list?',
      'token list surplus': 'too many arguments',
      'token list --bogus': "unknown option '--bogus'",
      'token create --name x': "required option '--role <role>'",
      'token create --name x --role god': '--role takes one of viewer, operator, worker, admin, not "god"',
      'token create --name x --role viewer --expires soon': '--expires takes a duration',
      'serve --port http': '--port takes a whole number, 0 to 65535, not "http"',
    };
    const said: unknown[] = [];
    for (const line of Object.keys(hints)) {
      const { code, stdout, stderr } = await photosafe(line.split(' ').filter(Boolean));
      said.push([line, code, stdout, stderr]);
    }
    expect(said).toEqual(
      Object.entries(hints).map(([line, hint]) => [line, 2, '', expect.stringContaining(hint) as unknown]),
    );
  });

  it('names every setting that cannot be used', async () => {
    const { code, stdout, stderr } = await photosafe(['token', 'list'], { PORT: 'x', LOG_LEVEL: 'loud' });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^photosafe: These settings cannot be used:\n {2}PORT is "x"; allowed: .*\n {2}LOG_LEVEL is "loud"/,
    );
    expect(stderr).toMatch(/docs\/configuration\.md/);
  });
});

describe('the command line, without its database', () => {
  const away = { DATABASE_URL: 'postgres://someone:secret@127.0.0.1:1/none', PHOTOSAFE_DATA_DIR: '/dev/null/nowhere' };

  it('says that it waits and in the end what is wrong, and nothing on standard output', async () => {
    const lines = ['task list', 'task list --json', 'queue list', 'token list', 'task explain 0197', 'catalog list'];
    const ended = await Promise.all(lines.map((line) => photosafe(line.split(' '), away)));
    const stderr =
      'Waiting up to 30 s for the database: connect ECONNREFUSED 127.0.0.1:1\n' +
      'photosafe: The database (postgres://someone@127.0.0.1:1/none) cannot be used: connect ECONNREFUSED 127.0.0.1:1\n' +
      'Nothing is lost: run the same command again. `photosafe doctor` tells what is wrong.\n';
    expect(ended).toEqual(lines.map(() => ({ code: 1, stdout: '', stderr })));
  });

  it('keeps the log of a demo, which waits for it, off standard output', async () => {
    const child = startPhotosafe(['demo', '--json'], { ...away, PORT: '0' });
    const printed: unknown[] = [];
    child.process.stdout?.on('data', (chunk: unknown) => printed.push(chunk));
    await child.line(/the database is not there/);
    await child.kill();
    expect(printed).toEqual([]);
  });

  it('does not take it for a bug where it only looks at the database', async () => {
    const { code, stdout, stderr } = await photosafe(['migrate', '--json'], away);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^photosafe: The database does not answer at the moment\. .*\nNothing is lost: .*\n$/);
  });
});

describe('the command line, with a database', () => {
  let database: TestDatabase;
  let environment: { DATABASE_URL: string };

  beforeAll(async () => {
    database = await createTestDatabase();
    environment = { DATABASE_URL: database.url };
  });
  afterAll(() => database.drop());

  it('makes, lists and revokes tokens', async () => {
    const made = await photosafe(
      ['token', 'create', '--name', 'phone', '--role', 'viewer', '--expires', '30d', '--json'],
      environment,
    );
    const { token, id, ...rest } = JSON.parse(made.stdout) as { token: string; id: string };
    expect([made.code, made.stderr, rest]).toEqual([
      0,
      '',
      expect.objectContaining({
        name: 'phone',
        role: 'viewer',
        state: 'active',
        created_by: expect.stringMatching(/^cli:.+@.+/) as unknown,
      }),
    ]);

    const again = await photosafe(['token', 'create', '--name', 'phone', '--role', 'viewer'], environment);
    expect([again.code, again.stdout, again.stderr]).toEqual([
      1,
      '',
      expect.stringContaining('a token named phone already'),
    ]);

    const plain = await photosafe(
      ['token', 'create', '--name', 'script', '--role', 'admin', '--expires', 'never'],
      environment,
    );
    expect([plain.stdout, plain.stderr]).toEqual([
      expect.stringMatching(/^ps_[\w-]{43}\n$/),
      'Made the admin token script, valid until it is revoked. It is shown this once.\n',
    ]);

    const revoked = await photosafe(['token', 'revoke', token.slice(0, 11)], environment);
    expect([revoked.code, revoked.stdout]).toEqual([0, `Revoked the viewer token phone (${id}).\n`]);
    const unknown = await photosafe(['token', 'revoke', 'phone'], environment);
    expect([unknown.code, unknown.stderr]).toEqual([1, 'photosafe: There is no token phone.\n']);

    const list = await photosafe(['token', 'list'], environment);
    expect(list.stdout.split('\n').map((line) => line.split('\t')[1])).toEqual(['name', 'script', undefined]);
    const all = JSON.parse((await photosafe(['token', 'list', '--all', '--json'], environment)).stdout) as {
      items: { name: string; state: string }[];
    };
    expect(all.items.map(({ name, state }) => [name, state])).toEqual([
      ['script', 'active'],
      ['phone', 'revoked'],
    ]);
  });

  it('knows the types of all modules where one is named', async () => {
    const params = JSON.stringify({ catalog_id: '0197c2a0-0000-7000-8000-000000000000' });
    const created = await photosafe(['task', 'create', 'thumbnails', '--params', params, '--json'], environment);
    expect([created.code, created.stderr]).toEqual([0, '']);
    expect(JSON.parse(created.stdout)).toMatchObject({ type: 'thumbnails', status: 'queued' });
    const kept = await photosafe(['retention', 'set', 'analyze_batch', '--completed', '7', '--json'], environment);
    expect([kept.code, kept.stderr]).toEqual([0, '']);
    expect(JSON.parse(kept.stdout)).toMatchObject({ type: 'analyze_batch', completed: 7 });
    const unknown = await photosafe(['task', 'create', 'nothing'], environment);
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringMatching(/analyze, .*thumbnails/) as string });
  });

  it('takes the priorities that the API takes', async () => {
    const create = (priority: string) =>
      photosafe(['task', 'create', 'maintenance.retention', '--priority', priority, '--json'], environment);
    const last = await create('-1000');
    expect([last.code, last.stderr]).toEqual([0, '']);
    expect(JSON.parse(last.stdout)).toMatchObject({ priority: -1_000 });
    expect(await create('-1001')).toMatchObject({
      code: 2,
      stderr: 'photosafe: --priority takes a whole number, -1000 to 1000, not "-1001"\n',
    });
  });

  it('adds a task on the terms that the API knows', async () => {
    const create = (...terms: string[]) =>
      photosafe(['task', 'create', 'maintenance.retention', ...terms, '--json'], environment);
    const [runAt, startBy] = ['2100-01-01T00:00:00.000Z', '2100-01-02T00:00:00.000Z'];
    const later = await create('--name', 'Sweep', '--run-at', runAt, '--start-by', startBy, '--dedup-key', 'later');
    expect([later.code, later.stderr]).toEqual([0, '']);
    expect(JSON.parse(later.stdout)).toMatchObject({
      name: 'Sweep',
      status: 'queued',
      run_at: runAt,
      start_by: startBy,
    });
    const held = await create('--no-start', '--dedup-key', 'held');
    expect(JSON.parse(held.stdout)).toMatchObject({ status: 'created' });
    expect(await create('--run-at', runAt, '--start-by', runAt)).toMatchObject({
      code: 2,
      stderr: `photosafe: --start-by is not after run_at: it could never start in time\nAllowed: after ${runAt}, its run_at, or left out.\n`,
    });
    expect(await create('--start-by', 'soon')).toMatchObject({ code: 2 });
  });

  it('ends as usual when whoever reads its output has seen enough', async () => {
    const child = startPhotosafe(['retention', 'show', '--json'], environment);
    child.process.stdout?.destroy();
    expect([await child.ended, child.lines]).toEqual([{ code: 0, signal: null }, []]);
  });

  it('says that a catalogue is neither that nor a folder', async () => {
    const { code, stderr } = await photosafe(['rebuild', '/no/such'], environment);
    expect([code, stderr]).toEqual([1, 'photosafe: there is no catalogue /no/such, and /no/such does not exist\n']);
  });

  it('changes no task on a dry run, and none but the one that is named', async () => {
    const params = JSON.stringify({ catalog_id: '0197c2a0-0000-7000-8000-000000000001' });
    const created = await photosafe(['task', 'create', 'thumbnails', '--params', params, '--json'], environment);
    const { id } = JSON.parse(created.stdout) as { id: string };
    const dryRun = await photosafe(['task', 'cancel', id, '--dry-run'], environment);
    expect(dryRun).toMatchObject({ code: 2, stderr: expect.stringContaining('--dry-run goes with options') as string });
    const shown = await photosafe(['task', 'show', id, '--json'], environment);
    expect(JSON.parse(shown.stdout)).toMatchObject({ status: 'queued' });
    const many = ['task', 'retry', '--status', 'failed', '--failed-batches', '--yes'];
    expect(await photosafe(many, environment)).toMatchObject({ code: 2 });
  });

  it('finds nothing wrong where nothing is', async () => {
    const { code, stdout } = await photosafe(['doctor', '--json'], environment);
    const { healthy, checks } = JSON.parse(stdout) as { healthy: boolean; checks: { name: string; level: string }[] };
    expect([code, healthy, checks.filter(({ level }) => level === 'fail')]).toEqual([0, true, []]);
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        ...['node', 'data folder', 'sharp', 'database', 'clock', 'old transactions', 'vacuum', 'migrations', 'tokens'],
      ]),
    );
  });

  it('finds what is wrong', async () => {
    const { code, stdout } = await photosafe(['doctor'], {
      POSTGRES_HOST: '127.0.0.1',
      POSTGRES_PORT: '1',
      PHOTOSAFE_DATA_DIR: '/dev/null/nowhere',
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAIL {2}data folder: /m);
    expect(stdout).toMatch(/^FAIL {2}database: .*ECONNREFUSED/m);
  });

  it('finds out whether Redis answers, without which things go on', async () => {
    const REDIS_URL = 'redis://:hunter2@127.0.0.1:1/0';
    const { code, stdout } = await photosafe(['doctor'], { ...environment, PHOTOSAFE_DISPATCH: 'redis', REDIS_URL });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^WARN {2}redis: 127\.0\.0\.1:1: .*ECONNREFUSED.*PostgreSQL/m);
    expect(stdout).not.toContain('hunter2');
  });

  it('migrates when asked to, and not when only asked what it would do', async () => {
    const empty = await createEmptyDatabase();
    try {
      const migrate = async (...args: string[]): Promise<unknown> =>
        JSON.parse((await photosafe(['migrate', '--json', ...args], { DATABASE_URL: empty.url })).stdout);
      const names = expect.arrayContaining(['CreateAccess0000000000002']) as unknown;
      expect([await migrate('--dry-run'), await migrate(), await migrate(), await migrate('--dry-run')]).toEqual([
        { pending: names },
        { ran: names },
        { ran: [] },
        { pending: [] },
      ]);
    } finally {
      await empty.drop();
    }
  });
});
