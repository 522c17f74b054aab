import { fanOut } from '../../../../src/tasks/index.js';
import { Engine, once, part, Script, splitOnly, work } from '../../../support/engine-harness.js';
import { createInterface } from 'node:readline';

/**
 * A process that works on tasks until it is killed; SIGTERM ends it gracefully. Arguments: URL, options of the worker as
 * JSON, settings as JSON. Says on a line of its own what its handlers do. A handler goes on when it is told to: by a line
 * `go` for all.
 */
const [url = '', options = '{}', settings = '{}'] = process.argv.slice(2);

const say = (...words: unknown[]): void => {
  process.stdout.write(`${words.join(' ')}\n`);
};

let go: () => void = () => undefined;
const gate = new Promise<void>((resolve) => (go = resolve));
createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'go') go();
});

const script = new Script()
  .when(work, async ({ key, n }, context) => {
    const { id, attempt, fence } = context.task;
    say('started', id, attempt, fence);
    context.signal.addEventListener('abort', () => {
      say('stopped', id, (context.signal.reason as { why: string }).why);
    });
    if (key === 'in a transaction') {
      await context.transaction(async (tx) => {
        await tx.query('SELECT 1');
        say('in a transaction', id);
        await gate;
      });
    }
    await gate;
    const saved = await context.saveCheckpoint('late').then(
      () => 'saved',
      (error: unknown) => (error as Error).name,
    );
    say('went on', id, saved);
    return `${String(n)} by ${String(process.pid)}`;
  })
  .when(once, ({ n }) => n)
  .when(splitOnly, async ({ n = 0, key }, { task }) => {
    say('splits', task.id);
    if (key === 'before') await gate;
    return fanOut(
      part,
      Array.from({ length: n }, (_, index) => ({ input: { n: index, key } })),
    );
  })
  .when(part, async ({ n = 0, key }) => {
    if (key === 'half' && n >= 5) await gate;
    say('batch', n);
    return n;
  });

async function run(): Promise<void> {
  const engine = await Engine.open(url, script, { environment: JSON.parse(settings) as Record<string, string> });
  await engine.work(JSON.parse(options) as Parameters<Engine['work']>[0]);
  say('working');
  process.once('SIGTERM', () => {
    void engine.close().then(() => {
      say('closed');
      process.exit(0);
    });
  });
}

void run();
