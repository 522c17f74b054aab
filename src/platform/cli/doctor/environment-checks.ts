import { access, constants, mkdir, statfs } from 'node:fs/promises';
import type { Settings } from '../../config/settings.js';
import { type CheckResult, examine, fail, ok, warn } from './check.js';

const OLDEST_NODE = [20, 19] as const;
/** The first release line that is still maintained. */
const MAINTAINED_NODE = 22;
/** Less than this fills up with the thumbnails of some hundred thousand photos; PostgreSQL stops on a full disk. */
const LITTLE_SPACE_BYTES = 2 * 1024 ** 3;
const NO_SPACE_BYTES = 200 * 1024 ** 2;
/** These have no types, and only have to load. */
const OTHER_LIBRARIES = { 'HEIC decoder': 'heic-decode' };

export function checkNode(version: string): CheckResult {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const tooOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  if (tooOld) return fail('node', `Node ${version} is too old: PhotoSafe needs ${OLDEST_NODE.join('.')} or newer`);
  if (major < MAINTAINED_NODE)
    return ok('node', `Node ${version} works, but is no longer maintained; 24 is a good choice`);
  return ok('node', `Node ${version}`);
}

export const checkDataFolder = ({ dataDir }: Settings): Promise<CheckResult> =>
  examine('data folder', async () => {
    await mkdir(dataDir, { recursive: true });
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(dataDir);
    const free = `${dataDir} is writable, ${((bavail * bsize) / 1024 ** 3).toFixed(1)} GiB free`;
    if (bavail * bsize < NO_SPACE_BYTES) return fail('data folder', `${free}: make room before anything else`);
    return bavail * bsize < LITTLE_SPACE_BYTES
      ? warn('data folder', `${free}: that is little`)
      : ok('data folder', free);
  });

/** The libraries with native or WebAssembly parts: what an installation for another platform breaks. */
export const checkImageLibraries = (): Promise<CheckResult[]> =>
  Promise.all([
    examine('sharp', async () => {
      const { default: sharp } = await import('sharp');
      await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
        .jpeg()
        .toBuffer();
      return ok('sharp', `sharp ${sharp.versions.sharp} with libvips ${sharp.versions.vips} encodes`);
    }),
    ...Object.entries(OTHER_LIBRARIES).map(([name, library]) =>
      examine(name, async () => {
        await import(library);
        return ok(name, 'loads');
      }),
    ),
  ]);
