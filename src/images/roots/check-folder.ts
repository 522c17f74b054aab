import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { type FieldError, invalid } from '../../platform/errors/app-error.js';
import { errnoOf } from '../photo-file.js';
import { isPlainText, textOfName } from '../stored-path.js';
import { contains, overlap } from './root.js';

/** The one place in the data folder where photos may lie: those that PhotoSafe was given to keep. */
const LIBRARIES = 'libraries';

/**
 * Checks the folders that a catalogue is to watch and gives their real paths, in the given order.
 * @throws invalid `unusable_roots` naming every folder that will not do, and why.
 */
export async function checkFolders(paths: readonly string[], dataDir: string): Promise<string[]> {
  const checked = await Promise.all(paths.map((path) => checkFolder(path, dataDir)));
  const real = checked.map((one) => (typeof one === 'string' ? one : undefined));
  const fields = checked.flatMap((one, index): FieldError[] => {
    if (typeof one !== 'string')
      return [{ path: `roots.${index}`, message: one.wrong, value: paths[index], allowed: ALLOWED }];
    const other = real.findIndex((earlier, at) => at < index && earlier !== undefined && overlap(earlier, one));
    if (other < 0) return [];
    const message = `is, lies in, or contains ${paths[other] ?? ''}: each photo would be there twice`;
    return [{ path: `roots.${index}`, message, value: paths[index], allowed: ALLOWED }];
  });
  if (fields.length > 0) {
    const what = fields.map(({ value, message }) => `${String(value)} ${message}`).join('; ');
    throw invalid('unusable_roots', what, { fields });
  }
  return real.filter((path) => path !== undefined);
}

const ALLOWED = 'the absolute path of a folder that this server can read';

async function checkFolder(path: string, dataDir: string): Promise<string | { wrong: string }> {
  if (!isAbsolute(path) || path.includes('\0')) return { wrong: 'is not an absolute path' };
  let real: string;
  try {
    const bytes = await realpath(path, 'buffer');
    real = textOfName(bytes);
    if (!(await stat(bytes)).isDirectory()) return { wrong: 'is not a folder' };
    await access(bytes, constants.R_OK | constants.X_OK);
  } catch (error) {
    return { wrong: wrongWith(error) };
  }
  if (!isPlainText(real)) return { wrong: 'has a name that is not valid UTF-8' };
  if (real === '/') return { wrong: 'is the whole file system' };
  const ours = await realpath(dataDir).catch(() => dataDir);
  if (contains(real, ours)) return { wrong: `contains PhotoSafe's own data folder ${ours}` };
  if (contains(ours, real) && !contains(join(ours, LIBRARIES), real)) {
    return { wrong: `lies in PhotoSafe's own data folder ${ours}` };
  }
  return real;
}

function wrongWith(error: unknown): string {
  const code = errnoOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this server';
  return `cannot be read (${code ?? String(error)})`;
}
