import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { STATUS_WORDS, statusesMeantBy, TASK_STATUSES } from '../../src/tasks/index.js';
import { TRANSITIONS } from '../../src/tasks/task-state.js';
import { PROJECT_ROOT } from '../support/child.js';

/** The rows of the table that has this header, each cell as the words in `code` in it. */
async function rowsUnder(header: RegExp): Promise<string[][][]> {
  const lines = (await readFile(join(PROJECT_ROOT, 'docs', 'task-lifecycle.md'), 'utf8')).split('\n');
  const start = lines.findIndex((line) => header.test(line));
  const rows = lines.slice(start + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word)),
    );
}

describe('docs/task-lifecycle.md', () => {
  it('has every state', async () => {
    const rows = await rowsUnder(/^\| state/);
    expect(rows.map(([state]) => state?.[0])).toEqual([...TASK_STATUSES]);
  });

  it('has every move, with its reasons', async () => {
    const rows = await rowsUnder(/^\| from/);
    expect(rows.map(([from, to, reasons]) => ({ from: from?.[0] ?? null, to: to?.[0], reasons }))).toEqual(TRANSITIONS);
  });

  it('explains every reason, and none that there is not', async () => {
    const rows = await rowsUnder(/^\| reason/);
    const reasons = new Set(TRANSITIONS.flatMap((transition) => transition.reasons));
    expect(rows.map(([reason]) => reason?.[0]).sort()).toEqual([...reasons].sort());
  });

  it('translates the old words', async () => {
    const rows = await rowsUnder(/^\| word/);
    const old = STATUS_WORDS.filter((word) => !(TASK_STATUSES as readonly string[]).includes(word));
    expect(rows.map(([word, means]) => [word?.[0], means])).toEqual(
      old.map((word) => [word, [...(statusesMeantBy(word) ?? [])]]),
    );
  });
});
