import { defineTask, fixed, Handles, taskHandlers, type TaskHandler } from '../../../src/tasks/index.js';
import { TestInput } from '../../support/engine-harness.js';
import { ScheduleEngine, TestClock } from '../../support/schedule-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

/** Only the newer release has it. */
const fresh = defineTask({
  ...{ name: 'test.fresh', version: 1, title: 'New', input: TestInput, timeoutMs: 60_000 },
  retry: { attempts: 1, backoff: fixed(1) },
});

@Handles(fresh)
class FreshHandler implements TaskHandler<typeof fresh> {
  run(): Promise<number> {
    return Promise.resolve(1);
  }
}

describe('while two releases run beside each other', () => {
  let database: TestDatabase;
  let clock: TestClock;
  let older: ScheduleEngine;
  let newer: ScheduleEngine;
  let id: string;

  /** A tick of a type that only the newer one knows waited, and now has its turn. */
  beforeEach(async () => {
    database = await createTestDatabase();
    clock = new TestClock(new Date('2027-01-01T00:00:30Z'));
    older = await ScheduleEngine.open(database.url, clock);
    newer = await ScheduleEngine.open(database.url, clock, taskHandlers(FreshHandler));
    ({ id } = await newer.create({ taskType: fresh.name, cron: '* * * * *', overlap: 'queue' }));
    await newer.lookAt('2027-01-01T00:01:00Z');
    await newer.lookAt('2027-01-01T00:02:00Z');
    expect(await newer.history(id)).toEqual(['2027-01-01T00:01:00Z started', '2027-01-01T00:02:00Z waiting']);
    clock.set('2027-01-01T00:02:40Z'); // the first task took 100 s
    await newer.finishAll();
    await older.look();
  });

  afterEach(async () => {
    await older.close();
    await newer.close();
    await database.drop();
  });

  it('a tick that waited for its turn is left to those who know its type', async () => {
    await newer.look();
    expect((await newer.history(id))[1]).toBe('2027-01-01T00:02:00Z started');
  });

  it('it is refused when nobody who does has come for half a minute', async () => {
    await older.lookAt('2027-01-01T00:02:59Z');
    expect((await older.history(id))[1]).toBe('2027-01-01T00:02:00Z waiting');
    await older.lookAt('2027-01-01T00:03:10Z');
    expect((await older.history(id))[1]).toBe('2027-01-01T00:02:00Z refused');
  });
});
