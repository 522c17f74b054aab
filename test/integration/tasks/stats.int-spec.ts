import { TaskStatsReader } from '../../../src/tasks/stats/task-stats.js';
import { Engine, work } from '../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { waitFor } from '../../support/wait-for.js';

let database: TestDatabase;
let engine: Engine;

beforeAll(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
});

afterAll(async () => {
  await engine.close();
  await database.drop();
});

describe('statistics of tasks', () => {
  it('are counted once for all who ask at the same time, and anew for who asks later', async () => {
    const reader = engine.app.get(TaskStatsReader);
    const hour = 3_600_000;
    await engine.enqueue(work);
    const [one, other, longer] = await Promise.all([reader.read(hour), reader.read(hour), reader.read(2 * hour)]);
    expect(other).toBe(one);
    expect(longer).not.toBe(one);
    expect(one.types).toMatchObject([{ type: work.name, queued: 1 }]);
    await engine.enqueue(work);
    await waitFor('a new count', async () => (await reader.read(hour)).types[0]?.queued === 2);
  });
});
