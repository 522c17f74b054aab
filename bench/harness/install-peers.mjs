import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const bench = join(import.meta.dirname, '..');

/**
 * Peers have a package.json of their own: the product never depends on what it is compared with, and who does not
 * run benchmarks does not download them. npm's own output goes to stderr.
 */
export async function installPeers(log) {
  if (existsSync(join(bench, 'node_modules', '.package-lock.json'))) return;
  log('installing the peers (npm ci in bench/) …');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: bench, stdio: ['ignore', 2, 2] });
}
