import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { rgbaToThumbHash } from 'thumbhash';
import { answer } from '../harness/child-process.mjs';
import { placeholderPixels, quality, sizes } from './outputs.mjs';

/**
 * The plainest loop that makes what the pipeline makes, as its reader would write it: no database, no resuming, no
 * record of what is broken, everything in one process, as many photos at once as there are cores.
 */
answer(async ({ files, folder }) => {
  await mkdir(folder, { recursive: true });
  await loop(files.slice(0, 8), folder); // warm-up
  const from = performance.now();
  await loop(files, folder);
  return { imagesPerSecond: files.length / ((performance.now() - from) / 1_000) };
});

async function loop(files, folder) {
  const waiting = files.values();
  const work = async () => {
    for (const file of waiting) await thumbnailsOf(file, folder);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}

async function thumbnailsOf(file, folder) {
  for (const size of sizes) {
    await sharp(file)
      .autoOrient()
      .resize(size, size, { fit: 'inside', withoutEnlargement: true })
      .jpeg({ quality })
      .toFile(join(folder, `${basename(file)}-${size}.jpg`));
  }
  const { data, info } = await sharp(file)
    .autoOrient()
    .resize(placeholderPixels, placeholderPixels, { fit: 'inside' })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  rgbaToThumbHash(info.width, info.height, data);
}
