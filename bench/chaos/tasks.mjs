import 'reflect-metadata';
import { IsBoolean, IsInt, IsOptional, IsString } from 'class-validator';
import { setTimeout as sleep } from 'node:timers/promises';
import { product } from '../harness/product.mjs';

const { defineTask, fanOut, fixed, Handles, PermanentError, taskHandlers, TaskService, TasksModule, TransientError } =
  await product('tasks/index');
const { PlatformModule } = await product('platform/platform.module');
const { settingsFrom } = await product('platform/config/settings');

/** What the tasks of the load are told. `expect` is for the checker: the outcome, when only one is right. */
class LoadInput {}
IsOptional()(LoadInput.prototype, 'expect');
IsString()(LoadInput.prototype, 'expect');
IsOptional()(LoadInput.prototype, 'effect');
IsBoolean()(LoadInput.prototype, 'effect');
IsInt()(LoadInput.prototype, 'ms');
IsOptional()(LoadInput.prototype, 'deaf');
IsBoolean()(LoadInput.prototype, 'deaf');
IsOptional()(LoadInput.prototype, 'poison');
IsBoolean()(LoadInput.prototype, 'poison');

const define = (name, attempts = 5) =>
  defineTask({
    name: `chaos.${name}`,
    version: 1,
    title: `Chaos: ${name}`,
    input: LoadInput,
    retry: { attempts, backoff: fixed(200) },
    timeoutMs: 60_000,
  });

export const plain = define('plain');
export const retried = define('retried');
export const doomed = define('doomed', 2);
export const split = define('split');
export const part = define('part');
export const leading = define('leading');
export const following = define('following');

const CHILDREN = 5;
const PARTS = Array.from({ length: CHILDREN }, () => ({ input: { ms: 50, effect: true, expect: 'completed' } }));

/** Takes its time, whether it is still wanted or not if it is deaf; then leaves a row in the transaction that settles it, if it is to have an effect. */
async function work({ ms, effect, deaf, poison }, context) {
  if (poison) process.kill(process.pid, 'SIGKILL');
  await sleep(ms, undefined, deaf ? {} : { signal: context.signal });
  if (effect) takeEffect(context);
  return ms;
}

function takeEffect(context) {
  const { id, fence } = context.task;
  context.onSettle((tx) => tx.query('INSERT INTO chaos_effects (task_id, fence) VALUES ($1, $2)', [id, fence]));
}

const HANDLERS = [
  [plain, { run: work }],
  [part, { run: work }],
  [following, { run: work }],
  [
    retried,
    {
      async run(input, context) {
        if (context.task.attempt < 3) throw new TransientError('not_yet', 'it never does at first');
        return work(input, context);
      },
    },
  ],
  [
    doomed,
    {
      async run() {
        throw new PermanentError('doomed', 'it never had a chance');
      },
    },
  ],
  [
    split,
    {
      run: async () => fanOut(part, PARTS),
      async afterChildren(_input, context, { completed }) {
        takeEffect(context);
        return completed;
      },
    },
  ],
  [
    leading,
    {
      async run(input, context) {
        context.enqueue(following, { ms: 20, effect: true, expect: 'completed' });
        return work(input, context);
      },
    },
  ],
].map(([definition, methods]) => {
  class LoadHandler {}
  Object.assign(LoadHandler.prototype, methods);
  Handles(definition)(LoadHandler);
  return LoadHandler;
});

/** The engine with the tasks of the load, as a Nest module. */
export function loadModule(environment = {}) {
  class LoadModule {}
  return {
    module: LoadModule,
    imports: [PlatformModule.forRoot(settingsFrom(environment)), TasksModule],
    providers: taskHandlers(...HANDLERS),
  };
}

export { TaskService };
