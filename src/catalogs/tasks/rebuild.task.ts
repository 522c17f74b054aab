import { IsBoolean, IsOptional, IsUUID } from 'class-validator';
import { analyze, thumbnails } from '../../images/index.js';
import {
  type ChildrenSummary,
  defineTask,
  exponential,
  fanOut,
  type HandlerResult,
  Handles,
  type Json,
  PermanentError,
  type TaskContext,
  type TaskHandler,
} from '../../tasks/index.js';
import { RebuildService } from '../rebuild.service.js';

export class RebuildInput {
  /** The catalogue to rebuild. */
  @IsUUID()
  catalog_id: string;

  /** Do everything again, not only what is missing. */
  @IsOptional()
  @IsBoolean()
  force?: boolean;
}

/** Everything for one catalogue, in the order in which one phase needs the other; only what is missing. */
export const rebuild = defineTask({
  name: 'rebuild',
  version: 1,
  title: 'Rebuild catalogue',
  input: RebuildInput,
  retry: { attempts: 3, backoff: exponential({ firstMs: 5_000, maxMs: 60_000 }) },
  // The task itself only starts phases and adds up.
  timeoutMs: 600_000,
  dedupKey: ({ catalog_id }) => catalog_id,
});

/** Each phase's share of the progress. */
const WEIGHT = 100;
const PHASES = [analyze, thumbnails] as const;

type Done = Readonly<Record<string, Json>>;

@Handles(rebuild)
export class RebuildHandler implements TaskHandler<typeof rebuild> {
  constructor(private readonly service: RebuildService) {}

  run(input: RebuildInput): Promise<HandlerResult> {
    return Promise.resolve(startPhase(0, {}, input));
  }

  async afterChildren(input: RebuildInput, context: TaskContext, children: ChildrenSummary): Promise<HandlerResult> {
    const { phase, done } = context.checkpoint as { phase: number; done: Done };
    const type = PHASES[phase]?.name ?? '';
    let result: Json = null;
    for await (const child of children.results()) {
      if (child.status !== 'completed') {
        const why = child.errorMessage ?? `it was ${child.status}`;
        throw new PermanentError('phase_failed', `${type} did not complete: ${why}; retry its failed batches`);
      }
      result = child.result;
    }
    const soFar = { ...done, [type]: result };
    if (phase + 1 < PHASES.length) return startPhase(phase + 1, soFar, input);
    return { ...soFar, ...(await this.service.outcome(input.catalog_id, Object.values(soFar))) };
  }
}

function startPhase(phase: number, done: Done, { catalog_id, force }: RebuildInput): HandlerResult {
  const children = [{ input: { catalog_id, force: force ?? false }, weight: WEIGHT }];
  const options = { total: WEIGHT * PHASES.length, checkpoint: { phase, done } };
  return phase === 0 ? fanOut(analyze, children, options) : fanOut(thumbnails, children, options);
}
