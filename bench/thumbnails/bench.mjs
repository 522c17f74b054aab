import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inChildProcess } from '../harness/child-process.mjs';
import { atEnd } from '../harness/clean-up.mjs';
import { product } from '../harness/product.mjs';
import { result } from '../harness/report.mjs';
import { median } from '../harness/statistics.mjs';
import { placeholderPixels, quality, sizes } from './outputs.mjs';

export const title = 'images/s of the task pipeline beside a plain loop over sharp; peak memory by size of library';

/**
 * `pipeline`: the same photos, the same outputs and the same cores, turn and turn about. `memory-flat`: the peak of
 * memory with a small library and with one ten times (quick: four times) as large; a ratio of 1 is flat.
 */
export async function run({ quick, only, log }) {
  const load = quick
    ? { photos: 40, megapixels: 6, rounds: 1, small: 50, large: 200 }
    : { photos: 200, megapixels: 12, rounds: 3, small: 1_000, large: 10_000 };
  const folder = await mkdtemp(join(tmpdir(), 'photosafe-bench-thumbnails-'));
  await chmod(folder, 0o711); // run as root, the product lends its database to another user
  atEnd(() => rm(folder, { recursive: true, force: true }));
  const wants = (contender) => !only || only.includes(contender);
  const results = [await measurePipeline(folder, load, wants, log)];
  if (wants('ours')) results.push(await measureMemory(folder, load, log));
  const outputs = `JPEG ${sizes.join(' and ')} q${quality}, placeholder hash from ${placeholderPixels} px`;
  return { machine: { photos: load.photos, megapixels: load.megapixels, rounds: load.rounds, outputs }, results };
}

async function measurePipeline(folder, { photos, megapixels, rounds }, wants, log) {
  log(`drawing ${photos} photos of ${megapixels} megapixels …`);
  const library = await photosIn(join(folder, 'pipeline'), photos, megapixels);
  const warmUp = await photosIn(join(folder, 'warm-up'), 8, megapixels);
  const contenders = {
    ours: async (round) => {
      const dataDir = await freshDataDir(folder, `round-${round}`);
      const job = { library: library.folder, warmUpLibrary: warmUp.folder, dataDir, count: photos };
      const outcome = await inChildProcess(new URL('./pipeline.mjs', import.meta.url), job);
      await rm(dataDir, { recursive: true, force: true });
      return outcome;
    },
    'sharp-loop': async (round) => {
      const job = { files: library.files, folder: join(folder, `loop-${round}`) };
      return inChildProcess(new URL('./plain-loop.mjs', import.meta.url), job);
    },
  };
  const names = Object.keys(contenders).filter(wants);
  const figures = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const { imagesPerSecond } = await contenders[name](round);
      log(`round ${round + 1}/${rounds} ${name}: ${imagesPerSecond.toFixed(2)} images/s`);
      figures[name].push(imagesPerSecond);
    }
  }
  const { ours, ...peers } = Object.fromEntries(
    Object.entries(figures).map(([name, values]) => [name, median(values)]),
  );
  return result({ name: 'pipeline', unit: 'images/s', better: 'more', ours, peers });
}

/** Small pictures, so that the number of files is what differs, and not what one of them needs. */
async function measureMemory(folder, { small, large }, log) {
  const peaks = {};
  for (const count of [small, large]) {
    log(`memory: ${count} photos …`);
    const library = await photosIn(join(folder, `memory-${count}`), count, 0.3);
    const dataDir = await freshDataDir(folder, `memory-${count}-data`);
    const job = { library: library.folder, dataDir, count };
    const { peakRssBytes } = await inChildProcess(new URL('./pipeline.mjs', import.meta.url), job);
    peaks[count] = peakRssBytes / 2 ** 20;
    log(`memory: ${count} photos: ${peaks[count].toFixed(0)} MB at most`);
    await Promise.all([library.folder, dataDir].map((path) => rm(path, { recursive: true, force: true })));
  }
  const peers = { [`ours at ${small} files`]: peaks[small] };
  return result({ name: 'memory-flat', unit: 'MB', better: 'less', ours: peaks[large], peers });
}

async function photosIn(folder, count, megapixels) {
  const { generatePlainPhotos } = await product('catalogs/sample-library/sample-library');
  await mkdir(folder, { recursive: true });
  const paths = await generatePlainPhotos(folder, count, { megapixels });
  return { folder, files: paths.map((path) => join(folder, path)) };
}

async function freshDataDir(folder, name) {
  const path = join(folder, name);
  await mkdir(path, { mode: 0o711 });
  return path;
}
