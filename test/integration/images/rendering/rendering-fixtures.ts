import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { settingsFrom } from '../../../../src/platform/config/settings.js';
import type { RunOptions } from '../../../../src/platform/processes/process-pool.js';
import type { RenderOutcome, RenderRequest } from '../../../../src/images/rendering/render-request.js';
import { Renderer } from '../../../../src/images/rendering/renderer.js';

/** Of the folder with real photos and what other programs say of them. */
export interface RealPhoto {
  readonly path: string;
  readonly type: string;
  readonly bytes: number;
  readonly orientation: number | undefined;
  readonly sharpDecode: string;
}

export function realPhotos(folder: string): RealPhoto[] {
  const [names = [], ...rows] = readFileSync(join(folder, 'PHOTOS.tsv'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  return rows.map((row) => {
    const column = (name: string): string => row[names.indexOf(name)] ?? '';
    return {
      path: column('path'),
      type: column('type'),
      bytes: Number(column('bytes')),
      orientation: /^[1-8]$/.test(column('orientation')) ? Number(column('orientation')) : undefined,
      sharpDecode: column('sharp_decode'),
    };
  });
}

/** A renderer and a folder for its photos, for a whole test file. */
export function aStudio(): {
  render: (path: string, request?: Partial<RenderRequest>, options?: Partial<RunOptions>) => Promise<RenderOutcome>;
  save: (name: string, content: Buffer | Sharp) => Promise<string>;
} {
  let renderer: Renderer;
  let folder: string;
  beforeAll(async () => {
    renderer = new Renderer(settingsFrom({ PHOTOSAFE_DECODER_PROCESSES: '2' }));
    folder = await mkdtemp(join(tmpdir(), 'photosafe-rendering-'));
  });
  afterAll(async () => {
    await renderer.onApplicationShutdown();
    await rm(folder, { recursive: true });
  });
  return {
    render: (path, request, options) =>
      renderer.render(
        { path, format: 'jpeg', sizes: [256, 512], quality: 85, maxPixels: 268_402_689, ...request },
        { signal: new AbortController().signal, timeoutMs: 120_000, ...options },
      ),
    save: async (name, content) => {
      const path = join(folder, name);
      await writeFile(path, Buffer.isBuffer(content) ? content : await content.toBuffer());
      return path;
    },
  };
}

/** Four quarters in red, green, blue (clockwise from the top left) and grey: no turn or mirroring leaves it the same. */
export function quarters(width: number, height: number): Sharp {
  const [topLeft, topRight, bottomRight, bottomLeft] = QUARTERS.map((hex) => Buffer.from(hex.slice(1), 'hex'));
  const row = (left: Buffer, right: Buffer): Buffer =>
    Buffer.concat(Array.from({ length: width }, (_, x) => (x < width / 2 ? left : right)));
  const [upper, lower] = [row(topLeft!, topRight!), row(bottomLeft!, bottomRight!)];
  const rows = Array.from({ length: height }, (_, y) => (y < height / 2 ? upper : lower));
  return sharp(Buffer.concat(rows), { raw: { width, height, channels: 3 } });
}

export const QUARTERS = ['#e02020', '#20a020', '#2020e0', '#808080'] as const;

/** The mean colours of a picture's quarters: top left, top right, bottom right, bottom left. */
export async function quarterColours(picture: Buffer): Promise<number[][]> {
  const { data, info } = await sharp(picture)
    .resize(2, 2, { fit: 'fill', kernel: 'nearest' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const at = (index: number): number[] => [...data.subarray(index * info.channels, (index + 1) * info.channels)];
  return [at(0), at(1), at(3), at(2)];
}

export async function meanColour(picture: Buffer): Promise<number[]> {
  const { channels } = await sharp(picture).stats();
  return channels.map(({ mean }) => mean);
}

/** The largest difference between two lists of samples. */
export function distance(one: readonly number[], other: readonly number[]): number {
  expect(one).toHaveLength(other.length);
  return Math.max(...one.map((sample, index) => Math.abs(sample - (other[index] ?? NaN))));
}

/** This process's children with the memory that they hold; empty where there is no /proc. */
export function childProcesses(): { pid: number; rssBytes: number }[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const status = readStatus(name);
      if (Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) !== process.pid) return [];
      return [{ pid: Number(name), rssBytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024 }];
    });
}

function readStatus(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
