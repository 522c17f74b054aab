import type { OpenPhoto } from '../open-photo.js';
import { choosePreview, edgeOf, type EmbeddedJpeg } from './embedded-jpeg.js';
import { listedJpegs } from './listed-jpegs.js';
import { scannedJpegs } from './scanned-jpegs.js';

/** RAW formats that are not built as TIFF files. */
const SCANNED = ['cr3', 'crw', 'raf', 'mrw', 'x3f', 'kyocera-raw'];

/** The embedded JPEG that serves a rendition of that size best. */
export async function findPreview(
  photo: OpenPhoto,
  format: string,
  longestEdge: number,
): Promise<EmbeddedJpeg | undefined> {
  if (format === 'psd') return findIn(photo, longestEdge, await photoshopResources(photo));
  if (format === 'jpeg') return findIn(photo, longestEdge, { from: 2, to: photo.sizeBytes });
  const listed = SCANNED.includes(format) ? [] : await listedJpegs(photo);
  const best = choosePreview(listed, longestEdge);
  // DNG must list its previews, and its own pixels may be many small JPEGs. TIFF files are not made for cameras.
  if (format === 'dng' || format === 'tiff' || (best && edgeOf(best) >= longestEdge)) return best;
  const scanned = await findIn(photo, longestEdge, { from: 0, to: photo.sizeBytes });
  return choosePreview(
    [best, scanned].flatMap((preview) => preview ?? []),
    longestEdge,
  );
}

/** Stops at the first that is large enough: cameras put previews first. */
async function findIn(
  photo: OpenPhoto,
  longestEdge: number,
  { from, to }: { from: number; to: number },
): Promise<EmbeddedJpeg | undefined> {
  const found: EmbeddedJpeg[] = [];
  for await (const preview of scannedJpegs(photo, from, to)) {
    found.push(preview);
    if (edgeOf(preview) >= longestEdge) break;
  }
  return choosePreview(found, longestEdge);
}

/** The part of a Photoshop document that holds its thumbnail: the layers hold pictures that are not the whole. */
async function photoshopResources(photo: OpenPhoto): Promise<{ from: number; to: number }> {
  const header = await photo.range(26, 4);
  const resourcesAt = header.length === 4 ? 30 + header.readUInt32BE(0) : photo.sizeBytes;
  const length = await photo.range(resourcesAt, 4);
  const from = resourcesAt + 4;
  return { from, to: length.length === 4 ? Math.min(photo.sizeBytes, from + length.readUInt32BE(0)) : from };
}
