import { Metrics } from '../../../src/platform/metrics/metrics.js';
import { PermanentError, TransientError } from '../../../src/tasks/index.js';
import { Engine, once, work } from '../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

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

/** The series of a metric: labels as they are written → value. */
async function series(name: string): Promise<Record<string, number>> {
  const text = await engine.app.get(Metrics).registry.getSingleMetricAsString(name);
  const lines = [...text.matchAll(new RegExp(`^${name}(?:_count)?\\{(.*)\\} (.*)$`, 'gm'))];
  return Object.fromEntries(lines.map(([, labels = '', value]) => [labels, Number(value)] as const));
}

it('every attempt is counted once, however often somebody asks', async () => {
  engine.script.when(work, (_input, { task }) => {
    if (task.attempt === 1) throw new TransientError('down', 'down');
    return 'done';
  });
  engine.script.when(once, () => {
    throw new PermanentError('broken', 'broken');
  });
  await engine.work();

  for (const rounds of [1, 2]) {
    for (const task of [work, once]) await engine.finished(await engine.enqueue(task));
    for (let asked = 0; asked < 2; asked += 1) {
      expect(await series('photosafe_task_attempts_started_total')).toEqual({
        'type="test.work"': 2 * rounds,
        'type="test.once"': rounds,
      });
      expect(await series('photosafe_task_attempts_ended_total')).toEqual({
        'type="test.work",outcome="retry"': rounds,
        'type="test.work",outcome="completed"': rounds,
        'type="test.once",outcome="failed"': rounds,
      });
      expect(await series('photosafe_task_attempt_seconds')).toMatchObject({
        'type="test.work"': 2 * rounds,
        'type="test.once"': rounds,
      });
    }
  }
});
