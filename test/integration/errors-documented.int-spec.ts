import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, type ErrorKind } from '../../src/platform/errors/app-error.js';
import { problemOf, TRANSPORT_CODES } from '../../src/platform/http/problem.js';
import { PROJECT_ROOT } from '../support/child.js';

const KINDS: Readonly<Record<string, ErrorKind>> = {
  invalid: 'invalid',
  unauthorized: 'unauthorized',
  forbidden: 'forbidden',
  notFound: 'not-found',
  conflict: 'conflict',
  unavailable: 'unavailable',
};

/** Those that are made in no call of the six functions above. */
const OTHERS: readonly (readonly [string, number])[] = [
  ...Object.entries(TRANSPORT_CODES).map(([status, code]) => [code, Number(status)] as const),
  ['malformed_json', 400],
  ['internal_error', 500],
  ['starting', 503],
];

const statusOf = (kind: ErrorKind): number => problemOf(new AppError(kind, 'any', 'any'))?.status ?? 0;

async function codesInSources(): Promise<string[]> {
  const folder = join(PROJECT_ROOT, 'src');
  const files = (await readdir(folder, { recursive: true })).filter((file) => /(?<!\.spec)\.ts$/.test(file));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const calls = new RegExp(`\\b(${Object.keys(KINDS).join('|')})\\(\\s*'([a-z0-9_]+)'`, 'g');
  const found = texts
    .flatMap((text) => [...text.matchAll(calls)])
    .map(([, name = '', code = '']) => {
      const kind = KINDS[name];
      return `${code} ${kind === undefined ? 0 : statusOf(kind)}`;
    });
  return [...found, ...OTHERS.map(([code, status]) => `${code} ${status}`)];
}

async function codesInTable(): Promise<string[]> {
  const page = await readFile(join(PROJECT_ROOT, 'docs', 'errors.md'), 'utf8');
  const table = page.slice(page.indexOf('## Requests'), page.indexOf('## Files'));
  return [...table.matchAll(/^\| *`([a-z0-9_]+)` *\| *(\d{3}) *\|/gm)].map(([, code, status]) => `${code} ${status}`);
}

describe('docs/errors.md', () => {
  it('lists every code with its status, in order, and none that nothing uses', async () => {
    const [used, listed] = await Promise.all([codesInSources(), codesInTable()]);
    expect({
      missing: [...new Set(used)].filter((code) => !listed.includes(code)).sort(),
      unused: listed.filter((code) => !used.includes(code)),
      order: listed,
    }).toEqual({ missing: [], unused: [], order: [...listed].sort() });
  });
});
