import { setTimeout as sleep } from 'node:timers/promises';
import { fanOut } from '../../../../src/tasks/index.js';
import { openCellProcess } from '../../../../src/tasks/isolation/cell-process.js';
import { Engine, once, part, Script, splitOnly, type TestInput } from '../../../support/engine-harness.js';

/**
 * A worker whose tasks may kill it, and whose cells are this program again. Arguments: URL, options of the worker as JSON,
 * `cell` for a cell. A task's key says what it does; one without a key takes its time and completes.
 */
const [url = '', options = '{}', cell] = process.argv.slice(2);

const TAKES_MS = 200;

async function live({ key, n }: TestInput, signal: AbortSignal): Promise<number | undefined> {
  if (key === 'poison') process.kill(process.pid, 'SIGKILL');
  if (key === 'exit') process.exit(0);
  if (key === 'deaf') await sleep(3_600_000);
  await sleep(TAKES_MS, undefined, { signal });
  return n;
}

const script = new Script()
  .when(once, (input, { signal }) => live(input, signal))
  .when(part, (input, { signal }) => live(input, signal))
  .when(splitOnly, ({ n = 0 }) =>
    fanOut(
      part,
      Array.from({ length: n }, (_, index) => ({ input: { n: index, key: index === 0 ? 'exit' : undefined } })),
    ),
  );

async function run(): Promise<void> {
  const engine = await Engine.open(url, script);
  await engine.work({
    ...(JSON.parse(options) as object),
    cell: cell === 'cell',
    openCell: () => openCellProcess({ path: import.meta.filename, args: [url, options, 'cell'] }),
  });
  process.stdout.write('working\n');
  process.once('SIGTERM', () => {
    process.stdout.write('stopping\n');
    void engine.close().then(() => process.exit(0));
  });
}

void run();
