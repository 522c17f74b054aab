import { ByteSource, TooMuchToRead } from './byte-source.js';

/** A file of which only the first bytes are in memory. */
function aFile(size: number, headSize: number): { source: ByteSource; fetched: () => number } {
  let total = 0;
  const byteAt = (position: number): number => position % 251;
  const reader = {
    read: (target: Buffer, position: number): Promise<number> => {
      const count = Math.max(0, Math.min(target.length, size - position));
      for (let index = 0; index < count; index++) target[index] = byteAt(position + index);
      total += count;
      return Promise.resolve(count);
    },
  };
  const head = Buffer.from(Array.from({ length: Math.min(headSize, size) }, (_, index) => byteAt(index)));
  return { source: ByteSource.ofFile(reader, size, head), fetched: () => total };
}

describe('a byte source', () => {
  it('gives the same bytes from memory, from the file and across both', async () => {
    const { source } = aFile(5000, 100);
    expect([...(await source.read(90, 20))]).toEqual(Array.from({ length: 20 }, (_, index) => (90 + index) % 251));
    expect([...(await source.read(4000, 3))]).toEqual([4000 % 251, 4001 % 251, 4002 % 251]);
    expect((await source.read(0, 5000)).length).toBe(5000);
  });

  it('gives fewer bytes at the end and none outside', async () => {
    const { source } = aFile(5000, 100);
    expect((await source.read(4990, 100)).length).toBe(10);
    expect(await Promise.all([5000, -1, NaN, 2 ** 60].map((offset) => source.read(offset, 4)))).toEqual(
      Array.from({ length: 4 }, () => Buffer.alloc(0)),
    );
  });

  it('has windows with offsets of their own that do not look outside', async () => {
    const { source } = aFile(5000, 100);
    const inner = source.window(4000, 100).window(50, 1000);
    expect(inner.size).toBe(50);
    expect([...(await inner.read(0, 2))]).toEqual([4050 % 251, 4051 % 251]);
    expect((await inner.read(40, 20)).length).toBe(10);
  });

  it('reads neighbouring small pieces once', async () => {
    const { source, fetched } = aFile(50_000, 100);
    for (let offset = 10_000; offset < 10_400; offset += 8) await source.read(offset, 8);
    expect(fetched()).toBeLessThanOrEqual(512);
  });

  it('stops walks that would read a large file in pieces', async () => {
    const { source } = aFile(1e9, 100);
    const walk = async (): Promise<void> => {
      for (let offset = 1000; offset < 1e9; offset += 1000) await source.read(offset, 8);
    };
    await expect(walk()).rejects.toThrow(TooMuchToRead);
  });

  it('of bytes alone needs no file', async () => {
    const source = ByteSource.ofBytes(Buffer.from('abcdef'));
    expect((await source.read(4, 10)).toString()).toBe('ef');
  });
});
