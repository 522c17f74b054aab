import type { OpenPhoto } from '../open-photo.js';
import type { EmbeddedJpeg } from './embedded-jpeg.js';
import { readJpegSize, type JpegSize } from './jpeg-header.js';

const START_OF_IMAGE = Buffer.from([0xff, 0xd8, 0xff]);
const CHUNK_BYTES = 4 * 1024 * 1024;
const HEADER_BYTES = 256 * 1024;
/** Places that look like the start of a JPEG and are looked at: sensor data has one by chance in 16 million bytes. */
const MAX_CANDIDATES = 500;

/**
 * All JPEGs in a part of a file, in their order, found by their first bytes: for formats whose previews hide in maker
 * notes (ORF, PEF) or in boxes (CR3, RAF), and for files too damaged to be walked. Reads on only as far as is asked for.
 */
export async function* scannedJpegs(
  photo: OpenPhoto,
  from: number,
  to: number = photo.sizeBytes,
): AsyncGenerator<EmbeddedJpeg> {
  let candidates = 0;
  for (let start = from; start < to; start += CHUNK_BYTES) {
    // Each chunk reaches four bytes into the next, so that no start is cut.
    const chunk = await photo.range(start, Math.min(CHUNK_BYTES + 4, to - start));
    for (let at = chunk.indexOf(START_OF_IMAGE); at !== -1; at = chunk.indexOf(START_OF_IMAGE, at + 3)) {
      if (at >= CHUNK_BYTES) break;
      if (!beginsSegment(chunk[at + 3])) continue;
      if (++candidates > MAX_CANDIDATES) return;
      const offset = start + at;
      const size = readJpegSize(await photo.range(offset, Math.min(HEADER_BYTES, to - offset)));
      if (size) yield { offset, length: Math.min(to - offset, mostBytes(size)), ...size };
    }
  }
}

/** Nothing tells where it ends; no JPEG is larger than its pixels and its metadata. */
const mostBytes = ({ width, height }: JpegSize): number => width * height * 3 + 1024 * 1024;

/** The segments that a JPEG may begin with: application data, tables, a frame, a comment. */
const beginsSegment = (marker: number | undefined): boolean =>
  marker !== undefined && (marker >= 0xe0 || [0xc0, 0xc1, 0xc2, 0xc4, 0xdb, 0xdd, 0xfe].includes(marker));
