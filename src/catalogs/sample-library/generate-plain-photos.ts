import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawShot } from './draw-shot.js';
import { exifTime } from './exif-of-shot.js';
import { withComment, withTextReplaced } from './jpeg-bytes.js';
import { planShots, type SampleShot } from './sample-plan.js';

export interface PlainPhotosOptions {
  /** Of each picture; default 2. */
  readonly megapixels?: number;
  readonly seed?: number;
}

/** Different pictures; more would only take longer to draw. */
const motifs = 8;
/** Files to a folder, as cameras do it. */
const folderSize = 1_000;

/**
 * Many photos quickly, for measuring: a handful of pictures, each file with a capture time and a checksum of its own,
 * a minute apart. Gives their paths below the folder.
 */
export async function generatePlainPhotos(
  folder: string,
  count: number,
  options: PlainPhotosOptions = {},
): Promise<string[]> {
  const longSide = Math.round(Math.sqrt(((options.megapixels ?? 2) * 1e6 * 4) / 3));
  const shots = planShots(0, options.seed ?? 1)
    .filter(({ moment }) => moment === 0)
    .slice(0, Math.min(motifs, count));
  const bases: { shot: SampleShot; jpeg: Buffer }[] = [];
  for (const shot of shots) bases.push({ shot, jpeg: await drawShot(shot, longSide) });
  const paths: string[] = [];
  for (let number = 0; number < count; number++) {
    const base = bases[number % bases.length];
    if (base === undefined) break;
    const below = String(Math.floor(number / folderSize)).padStart(3, '0');
    if (number % folderSize === 0) await mkdir(join(folder, below), { recursive: true });
    const path = `${below}/PHOTO_${String(number).padStart(6, '0')}.JPG`;
    const taken = exifTime(base.shot.localMs + number * 60_000);
    const jpeg = withTextReplaced(base.jpeg, exifTime(base.shot.localMs), taken);
    await writeFile(join(folder, path), withComment(jpeg, `photo ${String(number)}`));
    paths.push(path);
  }
  return paths;
}
