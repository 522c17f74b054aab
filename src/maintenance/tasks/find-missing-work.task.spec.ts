import type { CatalogsService } from '../../catalogs/index.js';
import { rebuild } from '../../catalogs/index.js';
import type { TaskContext } from '../../tasks/index.js';
import { FindMissingWorkHandler } from './find-missing-work.task.js';

describe('finding missing work', () => {
  it('asks for a rebuild of every catalogue, page by page', async () => {
    const ids = Array.from({ length: 1_001 }, (_, i) => `catalogue ${String(i).padStart(4, '0')}`);
    const list = ({ limit, after = '' }: { limit: number; after?: string }) =>
      Promise.resolve(
        ids
          .filter((id) => id > after)
          .slice(0, limit)
          .map((id) => ({ id })),
      );
    const asked: unknown[] = [];
    const context = {
      signal: new AbortController().signal,
      enqueue: (task: unknown, input: unknown) => asked.push([task, input]),
    } as unknown as TaskContext;

    const result = await new FindMissingWorkHandler({ list } as unknown as CatalogsService).run({}, context);

    expect(result).toEqual({ catalogs: 1_001 });
    expect(asked).toEqual(ids.map((id) => [rebuild, { catalog_id: id }]));
  });
});
