import { result } from '../harness/report.mjs';
import { chaos, RECOVERY_LIMIT_MS } from './chaos.mjs';

export const title =
  'kill -9 of workers, API and database in the middle of rebuilds: recovery, nothing lost, nothing doubled';

export async function run({ quick, log }) {
  const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
  const kills = Number(process.env.CHAOS_KILLS ?? (quick ? 5 : 200));
  log(`seed ${seed}, ${kills} kills`);
  const outcome = await chaos({ kills, photos: quick ? 100 : 400, seed, log });
  if (outcome.violations.length > 0) {
    throw new Error(`kept in ${outcome.folder}: ${JSON.stringify(outcome.violations, undefined, 2)}`);
  }
  const all = Object.values(outcome.recoveriesMs)
    .flat()
    .sort((a, b) => a - b);
  const slowest = all.at(-1) ?? 0;
  if (slowest > RECOVERY_LIMIT_MS) throw new Error(`a recovery took ${slowest} ms`);
  const figure = (name, ours) =>
    result({ name, unit: 'ms', better: 'less', ours, peers: { limit: RECOVERY_LIMIT_MS } });
  return {
    results: [figure('recovery-p50', all[Math.floor(all.length / 2)]), figure('recovery-max', slowest)],
    machine: { seed, kills: all.length, rebuilds: outcome.rebuilds, recoveriesMs: outcome.recoveriesMs },
  };
}
