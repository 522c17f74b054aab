import { CatalogsService, rebuild } from '../../catalogs/index.js';
import {
  defineTask,
  exponential,
  type HandlerResult,
  Handles,
  type TaskContext,
  type TaskHandler,
} from '../../tasks/index.js';

// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- the input that takes nothing
export class FindMissingWorkInput {}

/** Starts a rebuild of every catalogue: each does what is missing, and nothing where nothing is. */
export const findMissingWork = defineTask({
  name: 'maintenance.find-missing-work',
  version: 1,
  title: 'Find missing work in all catalogues',
  input: FindMissingWorkInput,
  retry: { attempts: 5, backoff: exponential({ firstMs: 10_000, maxMs: 600_000 }) },
  timeoutMs: 600_000,
  dedupKey: () => 'all',
});

const CATALOGS_A_PAGE = 500;

@Handles(findMissingWork)
export class FindMissingWorkHandler implements TaskHandler<typeof findMissingWork> {
  constructor(private readonly catalogs: CatalogsService) {}

  /** A catalogue whose rebuild is at work already keeps that one. */
  async run(_input: FindMissingWorkInput, context: TaskContext): Promise<HandlerResult> {
    let found = 0;
    for (let after: string | undefined; ;) {
      context.signal.throwIfAborted();
      const page = await this.catalogs.list({ limit: CATALOGS_A_PAGE, after });
      for (const { id } of page) context.enqueue(rebuild, { catalog_id: id });
      found += page.length;
      after = page.at(-1)?.id;
      if (page.length < CATALOGS_A_PAGE) return { catalogs: found };
    }
  }
}
