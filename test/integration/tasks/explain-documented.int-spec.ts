import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../support/child.js';

const FOLDER = join(PROJECT_ROOT, 'src', 'tasks', 'explain');

/** `code: 'this'`, and `code: condition ? 'this' : 'that'`. */
async function codesInSources(): Promise<string[]> {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.explainer.ts'));
  const texts = await Promise.all(files.map((file) => readFile(join(FOLDER, file), 'utf8')));
  const values = texts.flatMap((text) => [...text.matchAll(/^ +code: (.*),$/gm)].map(([, value = '']) => value));
  return values.flatMap((value) =>
    [...value.replace(/=== '\w+'/, '').matchAll(/'(\w+)'/g)].map(([, code = '']) => code),
  );
}

describe('docs/tasks.md', () => {
  it('lists every code of an explanation, and none that there is not', async () => {
    const page = await readFile(join(PROJECT_ROOT, 'docs', 'tasks.md'), 'utf8');
    const section = page.slice(page.indexOf('## Explain'), page.indexOf('## Many at once'));
    const listed = [...section.matchAll(/^\| *`(\w+)`/gm)].map(([, code]) => code);
    const used = await codesInSources();
    expect(used.length).toBeGreaterThan(15);
    expect([...listed].sort()).toEqual([...new Set(used)].sort());
  });
});
