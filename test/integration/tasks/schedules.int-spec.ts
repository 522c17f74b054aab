import { ExternalTypes } from '../../../src/tasks/external/external-types.service.js';
import { defineSchedule, shippedSchedules } from '../../../src/tasks/index.js';
import type { ScheduleView } from '../../../src/tasks/schedules/schedule.js';
import { KEPT_TICKS } from '../../../src/tasks/schedules/ticks.repository.js';
import { ACTOR, once, unique, work } from '../../support/engine-harness.js';
import { aSchedule, ScheduleEngine, TestClock } from '../../support/schedule-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

const shipped = defineSchedule({
  ...{ name: 'Nightly', description: 'd', task: work, input: { n: 7 }, cron: '30 3 * * *' },
  priority: -5,
  startWithinMs: 3_600_000,
});

let database: TestDatabase;
let engine: ScheduleEngine;

beforeEach(async () => {
  database = await createTestDatabase();
  engine = await ScheduleEngine.open(database.url, new TestClock(new Date('2027-01-01T00:00:00Z')));
});

afterEach(async () => {
  await engine.close();
  await database.drop();
});

const execute = (sql: string) => engine.engine.database.query(sql);

describe('a tick', () => {
  it('becomes one task, in the name of its schedule, however often it is looked at', async () => {
    const { id, name } = await engine.create({ timeZone: 'America/New_York', params: { n: 5 } });
    await engine.lookAt('2027-01-01T07:59:59.999Z');
    expect(await engine.ticks(id)).toEqual([]);

    await engine.lookAt('2027-01-01T08:00:00Z');
    await engine.lookAt('2027-01-01T08:00:00.001Z');

    const [tick, ...others] = await engine.ticks(id);
    expect(others).toEqual([]);
    expect(tick).toMatchObject({ at: new Date('2027-01-01T08:00:00Z'), cause: 'tick', outcome: 'started' });
    expect(await engine.engine.tasks.get(tick?.taskId ?? '')).toMatchObject({
      type: work.name,
      params: { n: 5 },
      status: 'queued',
      requestedBy: `schedule:${name}`,
      metadata: { schedule_id: id, schedule: name, tick_at: '2027-01-01T08:00:00.000Z' },
    });
    expect(await engine.schedules.get(id)).toMatchObject({
      lastTick: tick,
      lastTask: { id: tick?.taskId, status: 'queued' },
      nextTicks: ['02', '03', '04', '05', '06'].map((day) => new Date(`2027-01-${day}T08:00:00Z`)),
      problem: undefined,
    });
  });

  it('gives its task the priority and the time to start in that the schedule says, counted from its turn', async () => {
    const { id } = await engine.create({ priority: 7, startWithinMs: 60_000, overlap: 'queue' });
    await engine.lookAt('2027-01-01T03:00:00.250Z');
    await engine.lookAt('2027-01-02T03:00:00Z');
    await engine.finishAll();
    await engine.lookAt('2027-01-02T05:00:00Z');
    await engine.finishAll();
    await engine.schedules.update(id, { priority: null, startWithinMs: null }, ACTOR);
    await engine.runs.run(id, ACTOR);

    const taskIds = (await engine.ticks(id)).map(({ taskId }) => taskId ?? '');
    const tasks = await Promise.all(taskIds.map((taskId) => engine.engine.tasks.get(taskId)));
    expect(tasks.map(({ priority, startBy }) => [priority, startBy])).toEqual([
      [7, new Date('2027-01-01T03:01:00.250Z')],
      [7, new Date('2027-01-02T05:01:00Z')],
      [work.priority, null],
    ]);
  });

  it('and its task are written together or not at all', async () => {
    const { id } = await engine.create();
    await execute(`CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no disk'; END $$`);
    await execute(`CREATE TRIGGER die BEFORE UPDATE ON task_schedules EXECUTE FUNCTION die()`);
    await engine.lookAt('2027-01-01T03:00:00Z');
    expect([await engine.ticks(id), await engine.engine.count('tasks')]).toEqual([[], 0]);

    await execute(`DROP TRIGGER die ON task_schedules`);
    await engine.lookAt('2027-01-01T03:00:20Z');

    expect(await engine.history(id)).toEqual(['2027-01-01T03:00:00Z started']);
    expect(await engine.engine.count('tasks')).toBe(1);
  });

  it('of a type for external workers, which no process defines, is dealt with at once', async () => {
    const type = { name: 'survey.slope', version: 1, title: 'Slope', queue: 'survey', priority: 0, maxAttempts: 3 };
    const times = { firstDelayMs: 1_000, maxDelayMs: 60_000, timeoutMs: 60_000 };
    const schemas = { inputSchema: { type: 'object' }, resultSchema: null, concurrencyKey: null };
    const external = engine.engine.app.get(ExternalTypes, { strict: false });
    await external.declare({ ...type, ...times, ...schemas, limits: {} }, ACTOR);
    const { id } = await engine.create({ taskType: 'survey.slope', params: { tile: 7 }, overlap: 'queue' });

    await engine.lookAt('2027-01-01T03:00:00Z');
    expect(await engine.history(id)).toEqual(['2027-01-01T03:00:00Z started']);

    await engine.lookAt('2027-01-02T03:00:00Z');
    await engine.finishAll();
    await engine.lookAt('2027-01-02T03:00:01Z');
    expect(await engine.history(id)).toEqual(['2027-01-01T03:00:00Z started', '2027-01-02T03:00:00Z started']);
  });

  it('joins an unfinished task with the same dedup key', async () => {
    const other = await engine.engine.enqueue(unique, { key: 'same' });
    const { id } = await engine.create({ taskType: 'TEST.Unique', params: { key: 'same' } });
    await engine.lookAt('2027-01-01T03:00:00Z');
    expect(await engine.ticks(id)).toMatchObject([{ outcome: 'joined', taskId: other }]);
  });

  it('of which the task type is gone is left to others for a while, then refused, and no reason to stop', async () => {
    const gone = await engine.create();
    const fine = await engine.create();
    await execute(`UPDATE task_schedules SET task_type = 'no.such' WHERE id = '${gone.id}'`);
    await engine.lookAt('2027-01-01T03:00:00Z');
    expect([await engine.ticks(gone.id), await engine.history(fine.id)]).toEqual([
      [],
      ['2027-01-01T03:00:00Z started'],
    ]);

    await engine.lookAt('2027-01-01T03:00:30Z');

    expect(await engine.ticks(gone.id)).toMatchObject([
      { at: new Date('2027-01-01T03:00:00Z'), outcome: 'refused', taskId: null, errorCode: 'unknown_task_type' },
    ]);
    const view = await engine.schedules.get(gone.id);
    expect(view.problem).toMatchObject({ code: 'unknown_task_type' });
    expect(view.nextTicks[0]).toEqual(new Date('2027-01-02T03:00:00Z'));
    expect(await engine.schedules.update(gone.id, { name: 'renamed all the same' }, ACTOR)).toMatchObject({
      name: 'renamed all the same',
    });
  });

  it('whose params the type no longer takes, or the database refuses, is refused with the reason', async () => {
    const broken = await engine.create();
    const unstorable = await engine.create({ taskType: unique.name, params: { key: 'k' } });
    await execute(`UPDATE task_schedules SET params = '{"n": "many"}' WHERE id = '${broken.id}'`);
    // A key that no index row can hold: the statement itself fails, and with it its transaction.
    const key = `(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 2000) i)`;
    await execute(`UPDATE task_schedules SET params = jsonb_build_object('key', ${key}) WHERE id = '${unstorable.id}'`);

    await engine.lookAt('2027-01-01T03:00:01Z');

    for (const { id } of [broken, unstorable]) {
      expect(await engine.ticks(id)).toMatchObject([{ outcome: 'refused', errorCode: 'invalid_task_input' }]);
    }
    expect((await engine.schedules.get(broken.id)).problem?.message).toContain('params.n: n must be an integer');
  });

  it('of a zone that is gone is refused, and the schedule says so until it is edited', async () => {
    const { id } = await engine.create();
    await execute(`UPDATE task_schedules SET time_zone = 'Mars/Olympus' WHERE id = '${id}'`);
    await engine.lookAt('2027-01-01T03:00:00Z');
    expect(await engine.ticks(id)).toMatchObject([{ outcome: 'refused', errorCode: 'unknown_time_zone' }]);
    expect(await engine.schedules.get(id)).toMatchObject({ nextTicks: [], problem: { code: 'unknown_time_zone' } });

    await engine.schedules.update(id, { timeZone: 'europe/berlin' }, ACTOR);
    await engine.lookAt('2027-01-02T02:00:00Z');

    expect(await engine.schedules.get(id)).toMatchObject({ timeZone: 'Europe/Berlin', problem: undefined });
    expect((await engine.history(id)).at(-1)).toBe('2027-01-02T02:00:00Z started');
  });

  it('is remembered for a while: the latest, and whatever has a task that is not finished', async () => {
    const { id } = await engine.create({ cron: '* * * * * *' });
    for (let second = 1; second <= KEPT_TICKS + 60; second += 30) {
      engine.clock.set(new Date(Date.UTC(2027, 0, 1, 0, 0, second)));
      await engine.look();
    }
    const ticks = await engine.ticks(id);
    expect(ticks.length).toBeGreaterThanOrEqual(KEPT_TICKS);
    expect(ticks.length).toBeLessThan(KEPT_TICKS + 10);
    expect(ticks[0]).toMatchObject({ outcome: 'started' });
    expect(ticks.slice(1).every(({ outcome }) => outcome === 'overlapped')).toBe(true);
  });
});

describe('after days of absence', () => {
  it.each([
    ['skip', 1, ['2027-01-04T03:00:00Z missed']],
    ['latest', 1, ['2027-01-03T03:00:00Z missed', '2027-01-04T03:00:00Z started']],
    ['all', 2, ['2027-01-02T03:00:00Z missed', '2027-01-03T03:00:00Z started', '2027-01-04T03:00:00Z waiting']],
    ['all', 9, ['01', '02', '03', '04'].map((day, i) => `2027-01-${day}T03:00:00Z ${i === 0 ? 'started' : 'waiting'}`)],
  ] as const)('%s (%i) makes up for ticks as it says', async (policy, max, expected) => {
    const { id } = await engine.create({ catchUp: { policy, max }, overlap: 'queue' });
    await engine.lookAt('2027-01-04T12:00:00Z');
    expect(await engine.history(id)).toEqual(expected);
    expect((await engine.ticks(id))[0]?.missedFrom ?? null).toEqual(
      expected[0].endsWith('missed') ? new Date('2027-01-01T03:00:00Z') : null,
    );
    expect((await engine.schedules.get(id)).nextTicks[0]).toEqual(new Date('2027-01-05T03:00:00Z'));
  });

  it('latest starts nothing beside a tick that is due anyway', async () => {
    const { id } = await engine.create({ catchUp: { policy: 'latest', max: 1 } });
    await engine.lookAt('2027-01-04T03:00:05Z');
    expect(await engine.history(id)).toEqual(['2027-01-03T03:00:00Z missed', '2027-01-04T03:00:00Z started']);
  });

  it('a year of seconds is dealt with at once', async () => {
    const { id } = await engine.create({ cron: '* * * * * *', catchUp: { policy: 'all', max: 3 }, overlap: 'queue' });
    const began = performance.now();
    await engine.lookAt('2028-01-01T00:00:00.500Z');
    expect(performance.now() - began).toBeLessThan(2_000);
    // Those of the last minute are on time; with three made up for, and one that has started.
    expect((await engine.ticks(id)).filter(({ outcome }) => outcome === 'waiting')).toHaveLength(62);
  });
});

describe('the clock', () => {
  it('set back does not fire a tick twice', async () => {
    const { id } = await engine.create({ cron: '0 * * * *' });
    for (const time of ['01:00:01', '02:00:01', '00:30:00', '01:00:02', '02:00:02', '03:00:02']) {
      await engine.lookAt(`2027-01-01T${time}Z`);
      await engine.finishAll();
    }
    expect(await engine.history(id)).toEqual([
      '2027-01-01T01:00:00Z started',
      '2027-01-01T02:00:00Z started',
      '2027-01-01T03:00:00Z started',
    ]);
  });

  it('that had gone ahead by a year does not silence a schedule for a year', async () => {
    const { id, name } = await engine.create({ cron: '0 * * * *' });
    await engine.lookAt('2028-01-01T00:30:00Z');
    await engine.lookAt('2027-01-01T00:45:00Z');
    await engine.lookAt('2027-01-01T01:00:00Z');
    expect(await engine.started(name)).toEqual(['2027-01-01T01:00:00Z']);
    expect((await engine.schedules.get(id)).nextTicks[0]).toEqual(new Date('2027-01-01T02:00:00Z'));
  });
});

describe('an edit', () => {
  it('takes effect when it is made: what is due by then goes by the old terms', async () => {
    const { id } = await engine.create({ params: { n: 1 } });
    engine.clock.set('2027-01-01T03:00:00.010Z');

    await engine.schedules.update(id, { cron: '30 3 * * *', params: { n: 2 } }, 'test:editor');

    await engine.finishAll();
    await engine.lookAt('2027-01-01T03:30:00Z');
    const ticks = await engine.ticks(id);
    expect(ticks.map(({ at }) => at.toISOString())).toEqual(['2027-01-01T03:00:00.000Z', '2027-01-01T03:30:00.000Z']);
    const params = await Promise.all(
      ticks.map(async ({ taskId }) => (await engine.engine.tasks.get(taskId ?? '')).params),
    );
    expect(params).toEqual([{ n: 1 }, { n: 2 }]);
    expect(await engine.schedules.get(id)).toMatchObject({ updatedBy: 'test:editor', createdBy: ACTOR });
  });

  it.each([
    [{ cron: '0 0 31 2 *' }, 'invalid_cron_expression', 'cron'],
    [{ timeZone: '+02:00' }, 'unknown_time_zone', 'time_zone'],
    [{ taskType: 'no.such' }, 'unknown_task_type', 'type'],
    [{ params: { n: 'many' } }, 'invalid_task_input', 'params.n'],
    [{ params: { typo: 1 } }, 'invalid_task_input', 'params.typo'],
  ])('to %j is refused and changes nothing', async (changes, code, path) => {
    const before = await engine.create();
    const refusal = { kind: 'invalid', code, fields: [expect.objectContaining({ path })] as unknown };
    await expect(engine.schedules.update(before.id, changes, ACTOR)).rejects.toMatchObject(refusal);
    await expect(engine.schedules.create(aSchedule(changes), ACTOR)).rejects.toMatchObject(refusal);
    expect(await engine.schedules.get(before.id)).toEqual(before);
  });

  it('to a name that another one has is refused, in whatever letter case', async () => {
    const { name } = await engine.create({ name: 'Taken' });
    const { id } = await engine.create();
    const taken = { kind: 'conflict', code: 'schedule_name_taken' };
    await expect(engine.schedules.update(id, { name: name.toUpperCase() }, ACTOR)).rejects.toMatchObject(taken);
    await expect(engine.create({ name: 'taken' })).rejects.toMatchObject(taken);
  });
});

describe('a paused schedule', () => {
  it('ticks no more, and goes on with the next tick once it is resumed', async () => {
    const { id } = await engine.create({ catchUp: { policy: 'all', max: 9 } });
    engine.clock.set('2027-01-01T03:00:00Z');
    expect(await engine.schedules.pause(id, 'test:first')).toMatchObject({ pausedBy: 'test:first', nextTicks: [] });
    await engine.finishAll();
    expect(await engine.schedules.pause(id, 'test:second')).toMatchObject({ pausedBy: 'test:first' });
    await engine.schedules.update(id, { cron: '0 4 * * *' }, ACTOR);
    await engine.lookAt('2027-01-03T12:00:00Z');

    await engine.schedules.resume(id, ACTOR);
    await engine.schedules.resume(id, ACTOR);
    await engine.lookAt('2027-01-04T04:00:00Z');

    expect(await engine.history(id)).toEqual(['2027-01-01T03:00:00Z started', '2027-01-04T04:00:00Z started']);
    expect(await engine.schedules.get(id)).toMatchObject({ pausedAt: null, pausedBy: null });
  });

  it('is run by hand all the same', async () => {
    const { id } = await engine.create();
    await engine.schedules.pause(id, ACTOR);
    const { id: task } = await engine.runs.run(id, 'token:anna');
    expect(await engine.engine.tasks.get(task)).toMatchObject({ requestedBy: 'token:anna', status: 'queued' });
    expect(await engine.ticks(id)).toMatchObject([{ cause: 'manual', outcome: 'started', taskId: task }]);
  });
});

describe('while a task of a schedule is unfinished', () => {
  it('skip leaves ticks out, whoever started the task', async () => {
    const { id } = await engine.create({ cron: '0 * * * *' });
    const { id: task } = await engine.runs.run(id, ACTOR);
    await expect(engine.runs.run(id, ACTOR)).rejects.toMatchObject({ kind: 'conflict', code: 'schedule_busy' });
    await engine.lookAt('2027-01-01T01:00:00Z');
    await engine.engine.tasks.cancel(task, ACTOR);
    await engine.lookAt('2027-01-01T02:00:00Z');
    expect(await engine.history(id)).toEqual([
      '2027-01-01T00:00:00Z started',
      '2027-01-01T01:00:00Z overlapped',
      '2027-01-01T02:00:00Z started',
    ]);
  });

  it('queue lets ticks wait, and starts one after the other has ended, however it did', async () => {
    const { id, name } = await engine.create({ cron: '0 * * * *', overlap: 'queue', taskType: once.name });
    for (const hour of ['01', '02', '03']) await engine.lookAt(`2027-01-01T${hour}:00:00Z`);
    expect(await engine.schedules.get(id)).toMatchObject({ waiting: 2 });
    const { engine: tasks } = engine;
    tasks.script.when(once, () => Promise.reject(new Error('no')));
    await tasks.work();

    for (let ended = 1; ended <= 3; ended += 1) {
      const { lastTask } = await engine.schedules.get(id);
      await tasks.finished(lastTask?.id ?? '');
      expect(await engine.started(name)).toHaveLength(ended);
      await engine.look();
    }

    expect(await engine.started(name)).toEqual(['01', '02', '03'].map((hour) => `2027-01-01T${hour}:00:00Z`));
    expect(await engine.schedules.get(id)).toMatchObject({ waiting: 0 });
  });

  it('ticks that wait do so for their own schedule alone, however many others wait', async () => {
    const all: ScheduleView[] = [];
    for (let n = 0; n < 101; n += 1) all.push(await engine.create({ cron: '* * * * *', overlap: 'queue' }));
    for (const time of ['01:00', '01:01', '02:00', '02:01']) await engine.lookAt(`2027-01-01T00:${time}Z`);
    const first = (await Promise.all(all.map(({ id }) => engine.ticks(id)))).map(([tick]) => tick?.taskId ?? '');
    for (const [n, { id }] of all.entries()) {
      await engine.engine.tasks.cancel(first[n] ?? '', ACTOR);
      await engine.look();
      expect(await engine.history(id)).toEqual(['2027-01-01T00:01:00Z started', '2027-01-01T00:02:00Z started']);
    }
  });

  it('ticks that wait stay waiting while the schedule is paused', async () => {
    const { id } = await engine.create({ cron: '0 * * * *', overlap: 'queue' });
    for (const hour of ['01', '02']) await engine.lookAt(`2027-01-01T${hour}:00:00Z`);
    await engine.schedules.pause(id, ACTOR);
    await engine.finishAll();
    await engine.look();
    expect(await engine.history(id)).toEqual(['2027-01-01T01:00:00Z started', '2027-01-01T02:00:00Z waiting']);
    await engine.schedules.resume(id, ACTOR);
    await engine.look();
    expect((await engine.history(id)).at(-1)).toBe('2027-01-01T02:00:00Z started');
  });
});

describe('a shipped schedule', () => {
  const open = () => ScheduleEngine.open(database.url, engine.clock, shippedSchedules(shipped));

  it('is put in once, by whoever comes first, and then belongs to people', async () => {
    const engines = await Promise.all([open(), open(), open()]);
    await Promise.all(engines.map((one) => one.look()));
    const [only, ...others] = await engine.schedules.list({ limit: 9 });
    expect(others).toEqual([]);
    expect(only).toMatchObject({
      name: 'Nightly',
      cron: '30 3 * * *',
      params: { n: 7 },
      priority: -5,
      startWithinMs: 3_600_000,
      createdBy: 'system:first-start',
    });

    await engine.schedules.update('nightly', { cron: '0 5 * * *' }, ACTOR);
    await engine.schedules.pause('nightly', ACTOR);
    const second = await open();
    await second.look();
    expect(await engine.schedules.get('NIGHTLY')).toMatchObject({ cron: '0 5 * * *', pausedBy: ACTOR });

    await engine.schedules.remove('nightly');
    const third = await open();
    await third.look();
    expect(await engine.schedules.list({ limit: 9 })).toEqual([]);
    await Promise.all([...engines, second, third].map((one) => one.close()));
  });
});
