import sharp, { type Sharp, type SharpOptions } from 'sharp';
import type { Pixels } from './pixels.js';

// No operation is ever repeated, and a cache would hold the files of the last ones.
sharp.cache(false);
// Two photos in two processes are faster than two threads for one.
sharp.concurrency(1);
// Only what photos are made of. SVG above all stays out: it can name files and addresses. So does UltraHDR, whose base
// picture the JPEG loader decodes.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((loader) => `VipsForeignLoad${loader}`),
});

/** A pipeline over a file, over its bytes, or over pixels. */
export function vips(input: Buffer | string | Pixels, options: SharpOptions = {}): Sharp {
  if (typeof input === 'string' || Buffer.isBuffer(input)) return sharp(input, { sequentialRead: true, ...options });
  const { data, width, height, channels } = input;
  return sharp(data, { raw: { width, height, channels } });
}

/** Runs a pipeline to pixels. */
export async function toPixels(pipeline: Sharp): Promise<Pixels> {
  const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}

/** The resize of all renditions: within a square, aspect kept, never enlarged. */
export function within(longestEdge: number): {
  width: number;
  height: number;
  fit: 'inside';
  withoutEnlargement: true;
} {
  return { width: longestEdge, height: longestEdge, fit: 'inside', withoutEnlargement: true };
}
