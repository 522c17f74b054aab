import { redisMissing } from '../harness/redis.mjs';

/**
 * Each `module` exports `open({ connection, purpose })`, where the purpose is `throughput` or `latency`, and gives
 *
 *     about                   version and settings, for the report
 *     enqueue(count)          `count` no-op tasks by its fastest public API for many
 *     enqueueOne(id)          one, by the API for one
 *     start(onTask)           starts a worker whose handler calls onTask(how many tasks this call stands for)
 *     stop()                  ends that worker
 *     anyLeft()               whether the store still knows an unfinished task
 *     analyze()               refreshes the planner's statistics, if there is a planner
 *     close()
 */
export function contenders() {
  return [
    { name: 'ours', module: './ours.mjs', onPostgres: true },
    // Ours again, with its tasks carried by Redis: shown apart, and nobody's peer.
    { name: 'ours-redis', module: './ours.mjs', onPostgres: true, needsRedis: true, missing: redisMissing() },
    { name: 'graphile-worker', module: './graphile-worker.mjs', onPostgres: true },
    { name: 'pg-boss', module: './pg-boss.mjs', onPostgres: true },
    { name: 'bullmq', module: './bullmq.mjs', needsRedis: true, missing: redisMissing() },
  ];
}
