import { readFileSync } from 'node:fs';
import { query } from '../harness/postgres.mjs';

/** Newer versions refuse older Nodes; then the newest that runs is the contender. */
const packages = ['graphile-worker', 'graphile-worker-node20'];

const settings = { concurrentJobs: 24, localQueue: { size: 500, refetchDelay: { durationMs: 10 } } };

const identifier = 'no-op';
/** Its documented SQL function, all in one call: nearly twice as fast as `addJobs` of the library, which reads every row back. */
const addAll = `SELECT 1 FROM graphile_worker.add_jobs(ARRAY(
  SELECT json_populate_recordset(NULL::graphile_worker.job_spec, $1::json)))`;

export async function open({ connection: { url } }) {
  const { worker, version, utilities, logger } = await newestThatRuns(url);
  let runner;
  return {
    about: `${version}, ${JSON.stringify(settings)}, completion batched`,
    async enqueue(count) {
      await query(url, addAll, [
        JSON.stringify(Array.from({ length: count }, (_, id) => ({ identifier, payload: { id } }))),
      ]);
    },
    async enqueueOne(id) {
      await utilities.addJob(identifier, { id });
    },
    async start(onTask) {
      const preset = presetOf(url, logger);
      runner = await worker.run({ preset, taskList: { [identifier]: () => onTask(1) }, noHandleSignals: true, logger });
    },
    async stop() {
      await runner?.stop();
      runner = undefined;
    },
    async anyLeft() {
      const [{ any }] = await query(url, 'SELECT EXISTS (SELECT FROM graphile_worker._private_jobs) AS any');
      return any;
    },
    analyze: () => query(url, 'ANALYZE'),
    close: () => utilities.release(),
  };
}

function presetOf(connectionString, logger) {
  const worker = { connectionString, maxPoolSize: 25, pollInterval: 2_000, logger, ...settings };
  return { worker: { ...worker, completeJobBatchDelay: 0, failJobBatchDelay: 0 } };
}

async function newestThatRuns(url) {
  let refusal;
  for (const name of packages) {
    try {
      const worker = await import(name);
      const { version } = JSON.parse(
        readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8'),
      );
      const logger = new worker.Logger(() => () => undefined);
      const utilities = await worker.makeWorkerUtils({ preset: presetOf(url, logger), logger });
      await utilities.migrate();
      return { worker, version, utilities, logger };
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal;
}
