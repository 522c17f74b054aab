import { boundedParallel } from './bounded-parallel.js';

describe('work in bounded parallel', () => {
  it('gives results in the order of the items, never more than so many at once', async () => {
    let running = 0;
    let most = 0;
    const results = await boundedParallel([3, 1, 2, 5, 4], 2, async (item) => {
      most = Math.max(most, (running += 1));
      for (let turn = 0; turn < item; turn += 1) await Promise.resolve();
      running -= 1;
      return item * 10;
    });
    expect({ results, most }).toEqual({ results: [30, 10, 20, 50, 40], most: 2 });
  });

  it('begins nothing more after a failure, and throws it when what was under way has ended', async () => {
    const ended: number[] = [];
    const work = async (item: number): Promise<void> => {
      await Promise.resolve();
      if (item === 1) throw new Error('one');
      await Promise.resolve();
      ended.push(item);
    };
    await expect(boundedParallel([1, 2, 3, 4], 2, work)).rejects.toThrow('one');
    expect(ended).toEqual([2]);
  });
});
