import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const KILLS = Number(process.env.CHAOS_KILLS ?? 20);
const RECOVERY_LIMIT_MS = 15_000;

interface Outcome {
  readonly recoveriesMs: Readonly<Record<string, readonly number[]>>;
  readonly violations: readonly object[];
  readonly folder: string;
}

describe('kill -9 in the middle of a rebuild', () => {
  it(
    'loses nothing, doubles nothing and recovers within 15 s, whoever is killed: a worker, the API, the database',
    async () => {
      const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 1_000_000));
      const program = join(import.meta.dirname, 'programs', 'chaos.mjs');
      const { stdout } = await promisify(execFile)(process.execPath, [program, String(KILLS), '250', String(seed)], {
        env: { ...process.env, NODE_OPTIONS: '' },
        maxBuffer: 50_000_000,
      }).catch((error: unknown) => {
        throw new Error(`chaos with CHAOS_SEED=${String(seed)} failed`, { cause: error });
      });
      const outcome = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Outcome;
      const recoveries = Object.values(outcome.recoveriesMs).flat();
      expect({
        seed,
        violations: outcome.violations,
        tooSlow: recoveries.filter((ms) => ms > RECOVERY_LIMIT_MS),
      }).toEqual({
        seed,
        violations: [],
        tooSlow: [],
      });
      expect(recoveries.length).toBeGreaterThanOrEqual(KILLS * 0.8);
    },
    15 * 60_000,
  );
});
