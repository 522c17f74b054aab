import { ByteSource } from '../byte-source.js';
import {
  addXmpPacket,
  corrupt,
  MAX_EXIF_BYTES,
  MAX_IPTC_BYTES,
  MAX_XMP_BYTES,
  setSize,
  truncated,
  type EmbeddedMetadata,
} from '../embedded-metadata.js';
import { addExifBlock } from '../tiff/read-tiff.js';
import { findBox, listBoxes } from './iso-boxes.js';

const UUID = {
  exif: '4a706754696666457869662d3e4a5032',
  exifOfPhotoshop: '0537cdab9d0c4431a72afa561f2a113e',
  iptc: '33c7a4d2b81d4723a0baf1a3e097ad38',
  xmp: 'be7acfcb97a942e89c71999491e3afac',
} as const;

const CODESTREAM_START = 0xff4fff51;

/** JP2 and its kin as boxes, or a bare codestream. */
export async function readJpeg2000(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const start = await source.read(0, 4);
  if (start.length === 4 && start.readUInt32BE(0) === CODESTREAM_START) await readCodestream(source, found);
  else await readBoxes(source, found);
  if (found.width === undefined) found.problems.push(corrupt('The JPEG 2000 picture states no size.'));
}

/** SIZ: the picture is the reference grid less its offset. */
async function readCodestream(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const header = await source.read(0, 24);
  if (header.length < 24) return;
  setSize(found, header.readUInt32BE(8) - header.readUInt32BE(16), header.readUInt32BE(12) - header.readUInt32BE(20));
}

async function readBoxes(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const boxes = await listBoxes(source);
  const header = findBox(boxes, 'jp2h');
  const size = header && (await findBox(await listBoxes(header.content), 'ihdr')?.content.read(0, 8));
  if (size?.length === 8) setSize(found, size.readUInt32BE(4), size.readUInt32BE(0));
  for (const { uuid, content } of boxes) {
    if ((uuid === UUID.exif || uuid === UUID.exifOfPhotoshop) && content.size <= MAX_EXIF_BYTES) {
      await addExifBlock(ByteSource.ofBytes(await content.read(0, content.size)), found);
    } else if (uuid === UUID.xmp && content.size <= MAX_XMP_BYTES) {
      addXmpPacket(found, await content.read(0, content.size));
    } else if (uuid === UUID.iptc && content.size <= MAX_IPTC_BYTES) {
      found.iptc ??= await content.read(0, content.size);
    }
  }
  if (boxes.some((box) => box.cut)) found.problems.push(truncated('The JPEG 2000 picture ends within a box.'));
}
