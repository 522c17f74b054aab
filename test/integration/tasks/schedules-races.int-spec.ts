import type { CatchUp } from '../../../src/tasks/schedules/schedule.js';
import { ScheduleService } from '../../../src/tasks/schedules/schedule.service.js';
import { type Child, runTypeScript } from '../../support/child.js';
import { ACTOR, Engine, once } from '../../support/engine-harness.js';
import { aSchedule, ScheduleEngine, TestClock } from '../../support/schedule-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { waitFor } from '../../support/wait-for.js';

const MINUTE = 60_000;
const EVERY_MS = 5 * MINUTE;

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(() => database.drop());

/** What the looks at these times are to start, tick by tick; the plain rules of docs/schedules.md. */
function expectedTicks(start: number, looks: readonly number[], { policy, max }: CatchUp): number[] {
  const expected: number[] = [];
  let last = start;
  for (const look of looks) {
    const ticks: number[] = [];
    for (let tick = Math.floor(last / EVERY_MS) * EVERY_MS + EVERY_MS; tick <= look; tick += EVERY_MS) ticks.push(tick);
    const onTime = ticks.filter((tick) => look - tick <= MINUTE);
    const late = ticks.filter((tick) => look - tick > MINUTE);
    if (policy === 'latest' && onTime.length === 0) expected.push(...late.slice(-1));
    if (policy === 'all') expected.push(...late.slice(-max));
    expected.push(...onTime);
    last = look;
  }
  return expected;
}

describe('three schedulers on one database', () => {
  it.each<CatchUp>([
    { policy: 'skip', max: 1 },
    { policy: 'latest', max: 1 },
    { policy: 'all', max: 3 },
  ])('start one task a due tick under $policy, however irregularly they look', async (catchUp) => {
    const start = Date.UTC(2027, 2, 28, 0, 0, 30); // clocks in Berlin are set forward at 01:00
    const clock = new TestClock(new Date(start));
    const engines = await Promise.all([1, 2, 3].map(() => ScheduleEngine.open(database.url, clock)));
    const [first] = engines as [ScheduleEngine];
    const terms = { cron: '*/5 * * * *', timeZone: 'Europe/Berlin', catchUp, overlap: 'queue' as const };
    const { name } = await first.create(terms);
    const lookAll = () => Promise.all(engines.map((engine) => engine.look()));
    // Now within the minute of a tick, now an hour late; a fixed sequence, so that a failure can be had again.
    const looks = Array.from({ length: 40 }, (_, i) => start + (i + 1) * 4 * MINUTE + ((i * 37) % 100) * 1_000).map(
      (time, i) => time + Math.floor(i / 10) * 70 * MINUTE,
    );

    for (const look of looks) {
      clock.set(new Date(look));
      await lookAll();
      await first.finishAll();
    }
    await waitFor('nothing to wait', async () => {
      await lookAll();
      await first.finishAll();
      return (await first.schedules.get(name)).waiting === 0;
    });

    const expected = expectedTicks(start, looks, catchUp);
    expect(await first.started(name)).toEqual(expected.map((tick) => new Date(tick).toISOString().replace('.000', '')));
    expect(expected.length).toBeGreaterThan(5);
    await Promise.all(engines.map((engine) => engine.close()));
  });
});

describe('three processes, one of which is killed', () => {
  it('leave no second out and start none twice', async () => {
    const engine = await Engine.open(database.url);
    const children: Child[] = [1, 2, 3].map(() =>
      runTypeScript('test/integration/tasks/programs/scheduler.ts', [database.url]),
    );
    try {
      await Promise.all(children.map((child) => child.line(/^working/, { timeoutMs: 60_000 })));
      const terms = { cron: '* * * * * *', taskType: once.name, catchUp: { policy: 'all', max: 100 } as const };
      const schedules = engine.app.get(ScheduleService, { strict: false });
      const { id, name } = await schedules.create(aSchedule({ ...terms, overlap: 'queue' }), ACTOR);
      const decided = () => engine.count('task_schedule_ticks');
      await waitFor('the first ticks', async () => (await decided()) >= 3, { timeoutMs: 30_000 });

      await children[0]?.kill('SIGKILL');

      const before = await decided();
      await waitFor('more ticks', async () => (await decided()) >= before + 4, { timeoutMs: 30_000 });
      await schedules.pause(id, ACTOR);
      const ticks = await engine.database.query<{ tick_at: Date; outcome: string }>(
        `SELECT tick_at, outcome FROM task_schedule_ticks ORDER BY tick_at`,
      );
      const [{ tick_at: first } = { tick_at: new Date(0) }] = ticks;
      expect(ticks.map(({ tick_at }) => tick_at)).toEqual(ticks.map((_, i) => new Date(first.getTime() + i * 1_000)));
      const started = ticks.filter(({ outcome }) => outcome === 'started').length;
      expect(await engine.count('tasks WHERE requested_by = $1', [`schedule:${name}`])).toBe(started);
      expect(started).toBeGreaterThan(3);
    } finally {
      await Promise.all(children.map((child) => child.kill()));
      await engine.close();
    }
  });
});
