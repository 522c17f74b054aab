import { Logger } from '@nestjs/common';
import { logFields } from '../../../src/platform/logging/log-context.js';
import { brief, deferred, Engine, once, work } from '../../support/engine-harness.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { waitFor } from '../../support/wait-for.js';

let database: TestDatabase;
let engine: Engine;

beforeEach(async () => {
  database = await createTestDatabase();
  engine = await Engine.open(database.url);
});

afterEach(async () => {
  jest.restoreAllMocks();
  await engine.close();
  await database.drop();
});

/** Warnings, each with the fields of whatever it was logged within. */
function warnings(): object[] {
  const lines: object[] = [];
  jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: object) => {
    lines.push({ ...logFields(), ...line });
  });
  return lines;
}

describe('the lines of an attempt', () => {
  it('that is ended without its handler say whose they are', async () => {
    const lines = warnings();
    engine.script.when(brief, ({ n }, { task }) => (task.attempt === 1 ? new Promise(() => undefined) : n));
    await engine.work();
    const id = await engine.enqueue(brief);

    await engine.finished(id);

    const whose = { jobId: id, taskName: 'test.brief', taskVersion: 1, attempt: 1, fence: 1 };
    expect(lines).toMatchObject([
      { message: 'handler ignores its signal; settled without it', ...whose },
      { message: 'attempt ended', outcome: 'retry', ...whose },
    ]);
  });

  it('whose outcome is refused are not those of another that ended with it', async () => {
    const lines = warnings();
    const end = deferred();
    for (const task of [work, once]) engine.script.when(task, () => end.promise);
    await engine.work();
    const ids = [await engine.enqueue(work), await engine.enqueue(once)];
    for (const id of ids) await engine.until(id, ({ status }) => status === 'running');
    await engine.database.query('UPDATE live_tasks SET fence = fence + 1 WHERE type = $1', [once.name]);

    end.resolve();

    await waitFor('one to be refused', () => lines.length > 0);
    expect(lines).toEqual([expect.objectContaining({ jobId: ids[1] })]);
    expect(lines).not.toContainEqual(expect.objectContaining({ taskName: work.name }));
  });
});
