import { result } from '../harness/report.mjs';
import { percentile } from '../harness/statistics.mjs';
import { chaos } from './chaos.mjs';
import { poison, POISON_LIMIT_MS } from './poison.mjs';

export const title =
  'random faults (processes, network, database, clock, disk) over a steady load on three workers; one task that kills its process';

const RECOVERY_LIMIT_MS = 15_000;

export async function run({ quick, log }) {
  const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
  const count = Number(process.env.CHAOS_FAULTS ?? (quick ? 20 : 200));
  log('poison: 24 tasks in flight, one of which kills its process');
  const poisoned = await poison();
  log(`CHAOS_SEED=${seed}, ${count} faults`);
  const { violations, recoveriesMs, folder, ...about } = await chaos({ count, seed, log });
  const broken = Object.entries(violations).filter(([, list]) => list.length > 0);
  for (const [what, list] of broken) log(`${what}: ${list.length}: ${JSON.stringify(list.slice(0, 5))}`);
  const all = Object.values(recoveriesMs).flat();
  const p99 = percentile(all, 99);
  const figure = (name, unit, ours, limit) => result({ name, unit, better: 'less', ours, peers: { limit } });
  const none = (name, list) => result({ name, unit: 'tasks', better: 'less', ours: list.length, peers: {} });
  const outcome = {
    results: [
      figure('recovery-p99', 'ms', p99, RECOVERY_LIMIT_MS),
      figure('recovery-p50', 'ms', percentile(all, 50), RECOVERY_LIMIT_MS),
      none('lost', violations.lost),
      none('settled-twice', violations.settledTwice),
      none('effects-exactly-once', violations.effects),
      none('illegal-transitions', violations.trail),
      none('wrong-outcomes', [...violations.outcome, ...violations.order]),
      figure('poison', 'ms', poisoned.ms, POISON_LIMIT_MS),
      ...Object.entries(about.faults).map(([kind, ours]) =>
        result({ name: `faults-${kind}`, unit: 'faults', better: 'more', ours, peers: {} }),
      ),
    ],
    machine: { seed, ...about, poisoned, recoveries: Object.fromEntries(Object.entries(recoveriesMs).map(summary)) },
  };
  if (broken.length > 0) throw new Error(`CHAOS_SEED=${seed}: promises were broken; kept in ${folder}`);
  if (poisoned.completed !== 23) throw new Error(`poison: ${JSON.stringify(poisoned)}`);
  return outcome;
}

const summary = ([kind, gaps]) => [
  kind,
  gaps.length === 0
    ? { tasks: 0 }
    : {
        tasks: gaps.length,
        p50: Math.round(percentile(gaps, 50)),
        p99: Math.round(percentile(gaps, 99)),
        max: Math.round(Math.max(...gaps)),
      },
];
