import { Metrics } from '../../../src/platform/metrics/metrics.js';
import { ACTOR, Engine, once, work } from '../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

let database: TestDatabase;
let engine: Engine;

beforeEach(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
});
afterEach(async () => {
  await engine.close();
  await database.drop();
});

async function values(name: string): Promise<{ labels: object; value: number }[]> {
  const metric = await engine.app.get(Metrics).registry.getSingleMetric(name)?.get();
  return (metric?.values ?? []).map(({ labels, value }) => ({ labels, value }));
}

describe('the backlog in the metrics', () => {
  it('counts ready tasks by queue, delayed ones apart, and says how old the oldest is', async () => {
    const added = await engine.tasks.enqueueMany(once, [{}, {}, {}], { actor: ACTOR });
    await engine.tasks.enqueue(work, {}, { actor: ACTOR, runAt: new Date(Date.now() + 3_600_000) });
    await engine.database.query("UPDATE live_tasks SET queued_at = now() - interval '100 seconds' WHERE id = $1", [
      added[1]?.id,
    ]);
    expect(await values('photosafe_tasks_ready')).toEqual([{ labels: { queue: 'default' }, value: 3 }]);
    const [oldest] = await values('photosafe_tasks_ready_oldest_seconds');
    expect(Math.floor((oldest?.value ?? 0) / 50)).toBe(2);
    expect(await values('photosafe_tasks_delayed')).toEqual([{ labels: {}, value: 1 }]);
    expect(await values('photosafe_tasks_running')).toEqual([{ labels: {}, value: 0 }]);
    expect(await values('photosafe_tasks_enqueued_total')).toEqual([
      { labels: { type: 'test.once' }, value: 3 },
      { labels: { type: 'test.work' }, value: 1 },
    ]);
  });

  it('is left out while it cannot be counted; what else there is is shown', async () => {
    await engine.database.query('ALTER TABLE live_tasks RENAME TO elsewhere');
    expect(await values('photosafe_database_up')).toEqual([{ labels: {}, value: 1 }]);
    expect(await values('photosafe_tasks_running')).toEqual([]);
    expect(await engine.app.get(Metrics).registry.metrics()).toContain('process_resident_memory_bytes');
  });
});
