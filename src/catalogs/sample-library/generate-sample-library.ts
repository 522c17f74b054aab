import { mkdir, stat, utimes, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { drawShot } from './draw-shot.js';
import { contentOf, copyCounts, planCopies } from './sample-copies.js';
import type { FileSource, SampleFile } from './sample-file.js';
import { planShots } from './sample-plan.js';
import { strayPictures, strays } from './strays.js';

export interface SampleLibraryOptions {
  /** How many readable pictures there are to be, copies included; some 40 at least, default 60. */
  readonly photos?: number;
  /** The same seed gives the same bytes (with the same version of sharp). */
  readonly seed?: number;
  readonly onProgress?: (filesDone: number) => void;
}

export interface SampleLibrary {
  readonly folder: string;
  /** By path. */
  readonly files: readonly SampleFile[];
}

/** Pixels of a shot's longer side: enough for every rendition, and 60 are drawn in seconds. */
const longSide = 1_440;

/**
 * Draws a library to try things out with: trips on all hemispheres (the equator, the prime meridian and both sides of
 * the antimeridian among them), several cameras with and without zones and positions, bursts, turned cameras, copies of
 * three kinds, broken files, a sidecar. Files that are there already are
 * left as they are, so that a second call takes no time and one that was interrupted is made good.
 */
export async function generateSampleLibrary(
  folder: string,
  options: SampleLibraryOptions = {},
): Promise<SampleLibrary> {
  const { photos = 60, seed = 1 } = options;
  const sources = [...shotsWithCopies(photos, seed), ...strays(seed)];
  const waiting = sources.values();
  let done = 0;
  const work = async (): Promise<void> => {
    for (const source of waiting) {
      await make(folder, source);
      options.onProgress?.((done += source.files.length));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const files = sources.flatMap((source) => source.files);
  return { folder, files: files.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

/** A shot and what is made from it come together, so that it is drawn once. */
function shotsWithCopies(photos: number, seed: number): FileSource[] {
  const counts = copyCounts(photos);
  const shots = planShots(photos - counts.resized - counts.reencoded - counts.exact - strayPictures, seed);
  const allCopies = planCopies(shots, counts);
  return shots.map((shot): FileSource => {
    const copies = allCopies.filter(({ of }) => of === shot.path);
    const modifiedMs = shot.localMs - shot.offsetMinutes * 60_000;
    return {
      files: [{ path: shot.path, kind: 'shot', modifiedMs }, ...copies],
      contents: async () => {
        const jpeg = await drawShot(shot, longSide);
        return [jpeg, ...(await Promise.all(copies.map((copy) => contentOf(copy, shot, jpeg))))];
      },
    };
  });
}

async function make(folder: string, { files, contents }: FileSource): Promise<void> {
  const there = await Promise.all(files.map((file) => isThere(folder, file)));
  if (!there.includes(false)) return;
  const made = await contents();
  for (const [place, { path, modifiedMs }] of files.entries()) {
    if (there[place]) continue;
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), made[place] ?? '');
    await utimes(join(folder, path), modifiedMs / 1_000, modifiedMs / 1_000);
  }
}

/** A file gets its time when it is whole. (Times may come back a little rounded.) */
async function isThere(folder: string, { path, modifiedMs }: SampleFile): Promise<boolean> {
  const found = await stat(join(folder, path)).catch(() => undefined);
  return found !== undefined && Math.abs(found.mtimeMs - modifiedMs) < 1;
}
