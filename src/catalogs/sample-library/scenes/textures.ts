import type { Raw } from 'sharp';
import { SeededRandom } from '../seeded-random.js';

/** Called for every pixel; looking the global up each time is what is slow under jest. */
const { floor, max, min, round } = Math;

/** Pixels as sharp takes them with `raw`. */
export interface Texture extends Raw {
  data: Buffer;
}

/** White clouds on nothing, thinning out downwards: a few octaves of value noise, to be enlarged over a sky. */
export function cloudTexture(seed: number, coverage: number): Texture {
  const [width, height] = [192, 108];
  const octaves = [1, 2, 4, 8].map((scale, octave) => ({
    field: valueNoise(seed + octave, scale),
    weight: 0.5 ** octave,
  }));
  const data = Buffer.alloc(width * height * 4, 255);
  for (let y = 0; y < height; y++) {
    const fade = max(0, 1 - y / (height * 0.62));
    for (let x = 0; x < width; x++) {
      const density = octaves.reduce((sum, { field, weight }) => sum + field(x / 64, y / 22) * weight, 0) / 1.875;
      const thickness = max(0, density - (1 - coverage) * 0.85) * 4;
      data[(y * width + x) * 4 + 3] = round(min(0.92, thickness * fade) * 255);
    }
  }
  return { data, width, height, channels: 4 };
}

export interface Grain {
  readonly seed: number;
  readonly strength: number;
}

/** Sensor noise, in place: the pixels of a flat area differ by up to `strength` (of 255) from their mean. */
export function addGrain(data: Buffer, { width, channels }: Raw, { seed, strength }: Grain): void {
  const size = 256;
  const random = new SeededRandom(seed);
  const tile = Int8Array.from({ length: size * size }, () => round((random.next() + random.next() - 1) * strength));
  const clamped = new Uint8ClampedArray(data.buffer, data.byteOffset, data.length);
  const row = width * channels;
  for (let start = 0, y = 0; start < clamped.length; start += row, y++) {
    const tileRow = (y % size) * size;
    for (let at = start, x = 0; at < start + row; x++) {
      const grain = tile[tileRow + (x % size)] ?? 0;
      for (let channel = 0; channel < channels; channel++, at++) clamped[at] = (clamped[at] ?? 0) + grain;
    }
  }
}

/** 0–1, smooth, `scale` bumps to the unit. */
function valueNoise(seed: number, scale: number): (x: number, y: number) => number {
  const random = new SeededRandom(seed);
  const size = 64;
  const lattice = Float64Array.from({ length: size * size }, () => random.next());
  const at = (x: number, y: number): number => lattice[(y & (size - 1)) * size + (x & (size - 1))] ?? 0;
  const smooth = (part: number): number => part * part * (3 - 2 * part);
  return (x, y) => {
    const [column, row] = [floor(x * scale), floor(y * scale)];
    const [right, down] = [smooth(x * scale - column), smooth(y * scale - row)];
    const upper = at(column, row) * (1 - right) + at(column + 1, row) * right;
    const lower = at(column, row + 1) * (1 - right) + at(column + 1, row + 1) * right;
    return upper * (1 - down) + lower * down;
  };
}
