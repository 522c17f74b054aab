import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/**
 * A benchmark is a folder with a `bench.mjs` that exports `title` and `run({ quick, only, log })`, which gives
 * `{ results, machine? }`: the results made by {@link import('./report.mjs').result}, and what else to say about the
 * machine and the contenders.
 */
async function names() {
  const folders = await readdir(root, { withFileTypes: true });
  return folders
    .filter((entry) => entry.isDirectory() && existsSync(join(root, entry.name, 'bench.mjs')))
    .map((entry) => entry.name)
    .sort();
}

export async function loadBench(name) {
  const known = await names();
  if (!known.includes(name)) throw new Error(`there is no benchmark "${name}"; there are: ${known.join(', ')}`);
  return import(`../${name}/bench.mjs`);
}

export async function benchTitles() {
  const titles = {};
  for (const name of await names()) titles[name] = (await loadBench(name)).title;
  return titles;
}
