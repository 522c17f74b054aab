import { rgbaToThumbHash } from 'thumbhash';
import type { Rendition } from '../render-request.js';
import type { Pixels } from './pixels.js';
import { toPixels, vips, within } from './vips.js';

/** The hash keeps 7 frequencies each way, so more pixels (100 are allowed) change nothing but its cost. */
const THUMBHASH_EDGE = 64;

/**
 * Each rendition comes from the next larger one, so the picture is decoded once. JPEG for all, transparent ones too:
 * every client shows it, and a thumbnail on white is what a photo library needs.
 */
export async function encodeRenditions(
  picture: Pixels,
  sizes: readonly number[],
  quality: number,
): Promise<{ renditions: Rendition[]; thumbhash: Buffer }> {
  const bySize = new Map<number, Rendition>();
  let pixels = picture;
  let bytes: Buffer | undefined;
  for (const size of [...sizes].sort((a, b) => b - a)) {
    const smaller = await shrink(pixels, size);
    if (smaller !== pixels || !bytes) bytes = await vips(smaller).jpeg({ quality }).toBuffer();
    pixels = smaller;
    bySize.set(size, { size, width: pixels.width, height: pixels.height, mimeType: 'image/jpeg', bytes });
  }
  return { renditions: sizes.flatMap((size) => bySize.get(size) ?? []), thumbhash: await thumbhashOf(pixels) };
}

async function thumbhashOf(picture: Pixels): Promise<Buffer> {
  const { data, width, height } = await toPixels(vips(await shrink(picture, THUMBHASH_EDGE)).ensureAlpha());
  return Buffer.from(rgbaToThumbHash(width, height, data));
}

async function shrink(picture: Pixels, longestEdge: number): Promise<Pixels> {
  if (Math.max(picture.width, picture.height) <= longestEdge) return picture;
  return toPixels(vips(picture).resize(within(longestEdge)));
}
