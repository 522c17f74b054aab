import { QueueOverview } from '../../../src/tasks/limits/queue-overview.js';
import { ACTOR, elsewhere, Engine, work } from '../../support/engine-harness.js';
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

describe('the overview of queues', () => {
  it('counts what is delayed in each up to a number, whatever is in the others', async () => {
    const inAnHour = new Date(Date.now() + 3_600_000);
    const inTwoHours = new Date(Date.now() + 7_200_000);
    const overview = engine.app.get(QueueOverview);
    overview.mostCounted = 5;
    await engine.tasks.enqueueMany(work, Array(8).fill({}), { actor: ACTOR, runAt: inAnHour });
    await engine.tasks.enqueueMany(elsewhere, Array(3).fill({}), { actor: ACTOR, runAt: inTwoHours });
    const delayed = (await overview.list()).map(({ name, delayed }) => [name, delayed]);
    expect(delayed).toEqual([
      ['default', 5],
      ['other', 3],
    ]);
  });
});
