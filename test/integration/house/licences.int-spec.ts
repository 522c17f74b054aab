import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { judgeLicence } from './licences.js';

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

interface Manifest {
  readonly license?: string;
  readonly licenses?: readonly { readonly type: string }[];
}

const projectRoot = join(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

/** Everything that `npm ci --omit=dev` may install, on any platform, with the licence it declares. */
function shippedPackages(): { name: string; licence: string }[] {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockedPackage> };
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .map(([path, { license }]) => ({
      name: path.replace(/^.*node_modules\//, ''),
      licence: license ?? declaredInManifest(path) ?? 'none declared',
    }));
}

/** Old packages say `licenses: [{ type }]`, which the lock file leaves out. */
function declaredInManifest(path: string): string | undefined {
  const manifest = join(path, 'package.json');
  if (!existsSync(join(projectRoot, manifest))) return undefined;
  const { license, licenses } = JSON.parse(read(manifest)) as Manifest;
  return license ?? licenses?.map(({ type }) => type).join(' OR ');
}

describe('the licences of what we ship', () => {
  it('are none that an Apache-2.0 product may not ship', () => {
    const refused = shippedPackages().filter(({ licence }) => judgeLicence(licence) === 'refused');
    expect(refused).toEqual([]);
  });

  it('are named in NOTICE where they ask for more than their text', () => {
    const notice = read('NOTICE');
    const family = (name: string) => name.replace(/^(@img\/sharp).*/, '$1');
    const unnamed = shippedPackages()
      .filter(({ licence }) => judgeLicence(licence) === 'needs-notice')
      .map(({ name }) => family(name))
      .filter((name) => !notice.includes(name));
    expect([...new Set(unnamed)]).toEqual([]);
  });

  it.each([
    ['MIT', 'permissive'],
    ['(MIT OR GPL-3.0-only)', 'permissive'],
    ['(GPL-2.0-only OR MPL-2.0)', 'needs-notice'],
    ['Apache-2.0 AND LGPL-3.0-or-later AND MIT', 'needs-notice'],
    ['GPL-3.0-or-later', 'refused'],
    ['AGPL-3.0-only', 'refused'],
    ['MIT AND GPL-2.0-only', 'refused'],
    ['GPL-2.0-only AND (MIT OR ISC)', 'refused'],
    ['SEE LICENSE IN LICENSE', 'refused'],
    ['none declared', 'refused'],
  ])('%s is judged %s', (licence, verdict) => {
    expect(judgeLicence(licence)).toBe(verdict);
  });
});
