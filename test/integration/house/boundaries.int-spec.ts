import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cleanTree, plantedViolations, type SourceTree, withViolation } from './planted-violations.js';

interface Violation {
  rule: string;
  from: string;
  to: string;
}

async function plant(root: string, tree: SourceTree): Promise<string> {
  for (const [path, source] of Object.entries(tree)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), source);
  }
  return root;
}

interface Cruise {
  rules: string[];
  found: Violation[][];
}

async function cruise(trees: string[]): Promise<Cruise> {
  const script = join(import.meta.dirname, 'cruise.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...trees], { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout) as Cruise;
}

describe('the walls of the house', () => {
  let folder: string;
  let rules: string[];
  let ofCleanTree: Violation[] | undefined;
  let ofPlanted: Violation[][];

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'photosafe-boundaries-')));
    const trees = [cleanTree, ...plantedViolations.map(withViolation)];
    const roots = await Promise.all(trees.map((tree, index) => plant(join(folder, String(index)), tree)));
    const cruised = await cruise(roots);
    rules = cruised.rules;
    [ofCleanTree, ...ofPlanted] = cruised.found;
  }, 180_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('let a clean house pass', () => {
    expect(ofCleanTree).toEqual([]);
  });

  it.each(
    plantedViolations.map(({ rule, plant: files }, index) => [rule, Object.keys(files).join(', '), index] as const),
  )('%s catches what is planted in %s', (rule, _files, index) => {
    expect([...new Set(ofPlanted[index]?.map((violation) => violation.rule))]).toEqual([rule]);
  });

  it('each have a planted violation', () => {
    expect([...new Set(plantedViolations.map(({ rule }) => rule))].sort()).toEqual(rules.sort());
  });
});
