import { decoderMemoryLimit } from './memory-limit.js';

const GIGABYTE = 1024 ** 3;

describe('decoderMemoryLimit', () => {
  it('shares half of the memory among the decoders, within what makes sense', () => {
    expect(decoderMemoryLimit(8 * GIGABYTE, 4)).toBe(GIGABYTE);
    expect(decoderMemoryLimit(64 * GIGABYTE, 4)).toBe(2 * GIGABYTE);
    expect(decoderMemoryLimit(GIGABYTE, 4)).toBe(0.625 * GIGABYTE);
  });
});
