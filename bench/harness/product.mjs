import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What is measured: this checkout's build, or that of another one (to compare two versions on one machine). */
const dist = resolve(process.env.PHOTOSAFE_BENCH_DIST ?? join(import.meta.dirname, '..', '..', 'dist'));

/** A module of the product, by its path in src/ without the ending. */
export function product(path) {
  const file = join(dist, 'src', `${path}.js`);
  if (!existsSync(file)) throw new Error(`${file} is not there: build the product first (npm run build)`);
  return import(pathToFileURL(file).href);
}
