import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Real input files, beside the project when they are there. */
const SHARED_DATA = resolve(import.meta.dirname, '..', '..', '..', 'shared', 'data');

/** The folder of real files with this name, or undefined when this machine has none. */
export function sharedData(...path: string[]): string | undefined {
  const folder = join(SHARED_DATA, ...path);
  return existsSync(folder) ? folder : undefined;
}

/** `describe` when the real files are there; else a skipped block whose name says what is missing. */
export function describeWithSharedData(name: string, path: string, tests: (folder: string) => void): void {
  const folder = sharedData(path);
  if (folder === undefined)
    describe.skip(`${name} (skipped: ../shared/data/${path} is not there)`, () => it.todo('needs real files'));
  else
    describe(name, () => {
      tests(folder);
    });
}
