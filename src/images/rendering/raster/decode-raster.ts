import type { Metadata } from 'sharp';
import { tooManyPixels, Undecodable } from '../problems.js';
import type { Pixels } from './pixels.js';
import { toPixels, vips, within } from './vips.js';

export interface RasterLimits {
  /** No more detail than this is needed: the decoder leaves out what it can. */
  readonly longestEdge: number;
  readonly maxPixels: number;
}

export interface Raster {
  /** sRGB without transparency, within the longest edge, not yet turned. */
  readonly pixels: Pixels;
  /** Of the full picture as it is stored. */
  readonly width: number;
  readonly height: number;
  /** What the picture's own EXIF says. */
  readonly orientation: number | undefined;
  /** The decoder complained; part of the picture may be missing. */
  readonly damaged: boolean;
}

/**
 * Decodes JPEG, PNG, GIF, WebP, TIFF and AVIF: once, at reduced size where the format allows it. Of several pages or
 * frames the primary one. Undefined when nothing can be made of it; throws Undecodable when it has too many pixels.
 */
export async function decodeRaster(input: Buffer | string, limits: RasterLimits): Promise<Raster | undefined> {
  const header = await readHeader(input);
  if (!header?.width || !header.height) return undefined;
  const { width, height, orientation } = header;
  refuseTooManyPixels(width, height, limits.maxPixels);
  for (const damaged of [false, true]) {
    const pixels = await decode(input, limits, damaged).catch(() => undefined);
    if (pixels) return { pixels, width, height, orientation, damaged };
  }
  return undefined;
}

/** Size and the like without decoding; undefined when there is no header that makes sense. */
export function readHeader(input: Buffer | string): Promise<Metadata | undefined> {
  return vips(input, { failOn: 'none', limitInputPixels: false })
    .metadata()
    .catch(() => undefined);
}

export function refuseTooManyPixels(width: number, height: number, maxPixels: number): void {
  if (width * height <= maxPixels) return;
  throw new Undecodable(
    tooManyPixels(`The picture claims ${width} × ${height} pixels; more than ${maxPixels} in all are not decoded.`),
  );
}

/**
 * Colours become sRGB through the embedded profile before the transparency becomes white. Strictly first, because a
 * lenient decoder does not tell that it left something out.
 */
function decode(input: Buffer | string, { longestEdge, maxPixels }: RasterLimits, lenient: boolean): Promise<Pixels> {
  return toPixels(
    vips(input, { failOn: lenient ? 'none' : 'error', limitInputPixels: maxPixels })
      .resize(within(longestEdge))
      .flatten({ background: 'white' })
      .toColourspace('srgb'),
  );
}
