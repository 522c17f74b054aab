import type { TiffContents } from '../metadata/tiff/read-tiff.js';
import type { Ifd } from '../metadata/tiff/tiff-reader.js';
import type { OpenPhoto } from './open-photo.js';
import { jpegEndsEarly } from './previews/jpeg-header.js';
import { containerStructure, tiffStructure } from './structure.js';

/**
 * Whether a file that its decoder complained about has lost its end, by its structure: the decoder's own words differ
 * from version to version. False for what cannot be told.
 */
export async function endsEarly(photo: OpenPhoto, format: string): Promise<boolean> {
  if (format === 'jpeg') {
    const bytes = await photo.whole();
    return bytes !== undefined && jpegEndsEarly(bytes);
  }
  if (format === 'gif') return (await photo.range(photo.sizeBytes - 1, 1))[0] !== GIF_TRAILER;
  const tiff = await tiffStructure(photo);
  if (tiff) return tiffEndsEarly(tiff, photo.sizeBytes);
  const { problems } = await containerStructure(photo, format);
  return problems.some(({ code }) => code === 'truncated');
}

const GIF_TRAILER = 0x3b;

/** Where a TIFF says that its pictures' bytes are: offsets and lengths of strips, of tiles, of a JPEG. */
const DATA_TAGS = [
  [0x0111, 0x0117],
  [0x0144, 0x0145],
  [0x0201, 0x0202],
] as const;

function tiffEndsEarly({ reader, images }: TiffContents, sizeBytes: number): boolean {
  return (
    reader.firstIfdOffset >= sizeBytes || images.some((ifd) => DATA_TAGS.some((tags) => dataEnd(ifd, tags) > sizeBytes))
  );
}

function dataEnd({ fields }: Ifd, [offsetTag, lengthTag]: readonly [number, number]): number {
  const offsets = fields.get(offsetTag)?.numbers() ?? [];
  const lengths = fields.get(lengthTag)?.numbers() ?? [];
  return Math.max(0, ...offsets.map((offset, index) => offset + (lengths[index] ?? 0)));
}
