import { waitFor } from '../../support/wait-for.js';
import { aPicture, Library } from './library.js';

/** Decoder processes take seconds to start where others are at work. */
jest.setTimeout(120_000);

const types = async (library: Library): Promise<Record<string, number>> => {
  const rows = await library.database.query<{ type: string; n: number }>(
    'SELECT type, count(*)::int AS n FROM tasks GROUP BY type ORDER BY type',
  );
  return Object.fromEntries(rows.map(({ type, n }) => [type, n]));
};

describe('photo.imported', () => {
  it('has new photos rendered at once where that is wanted, in batches, and moved ones not again', async () => {
    const library = await Library.open({ PHOTOSAFE_THUMBNAILS_ON_IMPORT: 'true' });
    try {
      const files = Object.fromEntries(
        await Promise.all(Array.from({ length: 60 }, async (_, i) => [`${String(i)}.jpg`, await aPicture(i)] as const)),
      );
      const catalog = await library.catalogOf(files);
      await catalog.analyze();
      const rendered = async (): Promise<number> => {
        const [row] = await library.database.query<{ n: number }>('SELECT count(*)::int AS n FROM image_renditions');
        return row?.n ?? 0;
      };
      await waitFor('all thumbnails', async () => (await rendered()) === 120, { timeoutMs: 90_000 });
      expect(await types(library)).toEqual({ analyze: 1, analyze_batch: 1, thumbnails_batch: 3 });
      await catalog.rename('1.jpg', 'elsewhere/1.jpg');
      await catalog.analyze();
      expect((await types(library)).thumbnails_batch).toBe(3);
    } finally {
      await library.close();
    }
  });

  it('starts nothing where it is not', async () => {
    const library = await Library.open();
    try {
      const catalog = await library.catalogOf({ 'a.jpg': await aPicture(1) });
      await catalog.analyze();
      expect(await types(library)).toEqual({ analyze: 1, analyze_batch: 1 });
    } finally {
      await library.close();
    }
  });
});
