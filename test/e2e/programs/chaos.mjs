// Runs bench/chaos-rebuild and prints its outcome as the last line.
import { chaos } from '../../../bench/chaos-rebuild/chaos.mjs';
import { cleanUp } from '../../../bench/harness/clean-up.mjs';

const [kills, photos, seed] = process.argv.slice(2).map(Number);
try {
  const outcome = await chaos({ kills, photos, seed, log: (line) => process.stderr.write(`${line}\n`) });
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
} finally {
  await cleanUp();
}
