import { readFileSync } from 'node:fs';
import { PgBoss } from 'pg-boss';
import { query } from '../harness/postgres.mjs';

const { version } = JSON.parse(readFileSync(new URL('../node_modules/pg-boss/package.json', import.meta.url), 'utf8'));
const queue = 'no-op';
/** Its fast path: one handler call for 500 jobs, settled together, and no pause while batches come back full. */
const inBatches = { batchSize: 500, localConcurrency: 4, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
const oneByOne = { pollingIntervalSeconds: 0.5 };
/** What one call takes fastest, as measured. */
const insertSize = 5_000;

export async function open({ connection: { url }, purpose }) {
  const notified = purpose === 'latency';
  const boss = new PgBoss({ connectionString: url, max: 25, ...(notified ? { useListenNotify: true } : {}) });
  boss.on('error', (error) => process.stderr.write(`pg-boss: ${error.message}\n`));
  await boss.start();
  await boss.createQueue(queue, notified ? { notify: true } : {});
  const settings = notified ? oneByOne : inBatches;
  return {
    about: `${version}, ${JSON.stringify(inBatches)}; latency: LISTEN/NOTIFY, one by one`,
    async enqueue(count) {
      for (let from = 0; from < count; from += insertSize) {
        const length = Math.min(insertSize, count - from);
        await boss.insert(
          queue,
          Array.from({ length }, (_, index) => ({ data: { id: from + index } })),
        );
      }
    },
    enqueueOne: (id) => boss.send(queue, { id }),
    async start(onTask) {
      await boss.work(queue, settings, async (jobs) => onTask(jobs.length));
    },
    stop: () => boss.offWork(queue),
    async anyLeft() {
      const unfinished = `SELECT EXISTS (SELECT FROM pgboss.job WHERE name = $1 AND state < 'completed') AS any`;
      const [{ any }] = await query(url, unfinished, [queue]);
      return any;
    },
    analyze: () => query(url, 'ANALYZE'),
    close: () => boss.stop({ graceful: false }),
  };
}
