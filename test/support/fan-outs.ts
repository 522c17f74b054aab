import type { ChildResult, Task } from '../../src/tasks/index.js';
import type { Engine } from './engine-harness.js';

export const batches = (count: number) => Array.from({ length: count }, (_, n) => ({ input: { n } }));

export async function collect(results: AsyncIterable<ChildResult>): Promise<ChildResult[]> {
  const all: ChildResult[] = [];
  for await (const result of results) all.push(result);
  return all;
}

/** Fan-outs whose counters are not those of their children. There are none at any time, for any fan-out there ever was. */
export const wrongCounters = (engine: Engine): Promise<object[]> =>
  engine.database.query(`
    SELECT f.*, live.count AS live, done.completed AS really_completed, done.failed AS really_failed, done.cancelled AS really_cancelled
    FROM task_fan_outs f,
      LATERAL (SELECT count(*)::int AS count FROM live_tasks WHERE parent_id = f.parent_id AND parent_round = f.round) live,
      LATERAL (SELECT count(*) FILTER (WHERE status = 'completed')::int AS completed,
        count(*) FILTER (WHERE status = 'failed')::int AS failed, count(*) FILTER (WHERE status = 'cancelled')::int AS cancelled
        FROM finished_tasks WHERE parent_id = f.parent_id AND parent_round = f.round) done
    WHERE (f.open, f.completed, f.failed, f.cancelled) IS DISTINCT FROM (live.count, done.completed, done.failed, done.cancelled)`);

/** Looks at a task again and again until it is told to end; gives every state seen. */
export function watch(engine: Engine, id: string): { readonly seen: Task[]; readonly end: () => Promise<void> } {
  const seen: Task[] = [];
  let watching = true;
  const looking = (async () => {
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- changes while this loop awaits
    while (watching) seen.push(await engine.tasks.get(id));
  })();
  return {
    seen,
    end: async () => {
      watching = false;
      await looking;
    },
  };
}
