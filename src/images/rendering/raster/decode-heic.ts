import { readHeader, refuseTooManyPixels, type Raster, type RasterLimits } from './decode-raster.js';
import type { Pixels } from './pixels.js';
import { taggedTiff } from './tagged-tiff.js';
import { toPixels, vips, within } from './vips.js';

/**
 * Decodes HEIC, whose codec (HEVC) is not part of libvips' prebuilt binaries, by libheif in WebAssembly: about a second
 * of CPU for 12 megapixels and a quarter of a gigabyte, which goes when the process is replaced. It applies the turns
 * that the container states. Undefined when nothing can be made of it; throws Undecodable for too many pixels.
 */
export async function decodeHeic(bytes: Buffer, limits: RasterLimits): Promise<Raster | undefined> {
  const full = await decodeFirst(bytes, limits.maxPixels);
  if (!full) return undefined;
  const { width, height } = full;
  const small = await toPixels(vips(full).resize(within(limits.longestEdge)).flatten({ background: 'white' }));
  const profile = (await readHeader(bytes))?.icc;
  return { pixels: await toSrgb(small, profile), width, height, orientation: undefined, damaged: false };
}

async function decodeFirst(bytes: Buffer, maxPixels: number): Promise<Pixels | undefined> {
  // Loading it takes 8 MB and some milliseconds, which most photos do not need.
  const { default: heicDecode } = await import('heic-decode');
  const images = await heicDecode.all({ buffer: bytes }).catch(() => undefined);
  try {
    const first = images?.[0];
    if (!first) return undefined;
    refuseTooManyPixels(first.width, first.height, maxPixels);
    const decoded = await first.decode().catch(() => undefined);
    if (!decoded) return undefined;
    const { data, width, height } = decoded;
    return { data: Buffer.from(data.buffer, data.byteOffset, data.byteLength), width, height, channels: 4 };
  } finally {
    images?.dispose();
  }
}

/** libheif gives the samples as they are coded; iPhones code in Display P3. */
async function toSrgb(pixels: Pixels, profile: Buffer | undefined): Promise<Pixels> {
  if (!profile) return pixels;
  return toPixels(vips(taggedTiff(pixels, profile)).toColourspace('srgb')).catch(() => pixels);
}
