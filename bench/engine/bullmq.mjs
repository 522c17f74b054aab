import { readFileSync } from 'node:fs';
import { Queue, Worker } from 'bullmq';

const { version } = JSON.parse(readFileSync(new URL('../node_modules/bullmq/package.json', import.meta.url), 'utf8'));
const name = 'no-op';
const concurrency = 100;
/** What one call takes fastest, as measured. */
const insertSize = 1_000;

export async function open({ connection: { redis } }) {
  const connection = { ...redis, maxRetriesPerRequest: null };
  const queue = new Queue(name, { connection });
  queue.on('error', (error) => process.stderr.write(`bullmq: ${error.message}\n`));
  await queue.waitUntilReady();
  let worker;
  return {
    about: `${version} on Redis (AOF everysec), concurrency ${concurrency}`,
    async enqueue(count) {
      for (let from = 0; from < count; from += insertSize) {
        const length = Math.min(insertSize, count - from);
        await queue.addBulk(Array.from({ length }, (_, index) => ({ name, data: { id: from + index } })));
      }
    },
    enqueueOne: (id) => queue.add(name, { id }),
    async start(onTask) {
      worker = new Worker(name, async () => onTask(1), { connection, concurrency });
      worker.on('error', (error) => process.stderr.write(`bullmq: ${error.message}\n`));
    },
    async stop() {
      await worker?.close();
      worker = undefined;
    },
    async anyLeft() {
      const { active, waiting } = await queue.getJobCounts('active', 'waiting');
      return active > 0 || waiting > 0;
    },
    analyze: async () => undefined,
    close: () => queue.close(),
  };
}
