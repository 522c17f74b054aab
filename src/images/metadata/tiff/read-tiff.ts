import type { ByteSource } from '../byte-source.js';
import { addXmpPacket, MAX_IPTC_BYTES, MAX_XMP_BYTES, type EmbeddedMetadata } from '../embedded-metadata.js';
import { readAppleMakerNote } from './apple-maker-note.js';
import { ExifTags } from './exif-tags.js';
import { TAG } from './tag-names.js';
import { EMPTY_IFD, TiffReader, type Ifd } from './tiff-reader.js';

/** Pages and embedded pictures that are looked at; RAW files have up to five, scans hundreds. */
const MAX_IMAGES = 12;

export interface TiffContents {
  readonly reader: TiffReader;
  readonly tags: ExifTags;
  /** IFD0, its successors, then their sub-images. */
  readonly images: readonly Ifd[];
}

/** The first picture's directories of a TIFF structure: a TIFF or RAW file, or an EXIF block with offsets of its own. */
export async function readTiff(source: ByteSource): Promise<TiffContents | undefined> {
  const reader = await TiffReader.open(source);
  if (reader === undefined) return undefined;
  const image = await reader.readIfd(reader.firstIfdOffset);
  const photo = await readPointedIfd(reader, image, TAG.ExifIfd);
  const gps = await readPointedIfd(reader, image.fields.has(TAG.GpsIfd) ? image : photo, TAG.GpsIfd);
  const apple = await readAppleMakerNote(reader, photo.fields.get(TAG.MakerNote));
  const images = [image];
  for (let next = image.next; next !== 0 && images.length < MAX_IMAGES;) {
    const following: Ifd = await reader.readIfd(next);
    if (following.fields.size === 0) break;
    images.push(following);
    next = following.next;
  }
  for (const offset of [...images].flatMap((ifd) => ifd.fields.get(TAG.SubIfds)?.numbers() ?? [])) {
    if (images.length >= MAX_IMAGES) break;
    images.push(await reader.readIfd(offset));
  }
  return { reader, tags: new ExifTags(image, photo, gps, apple), images };
}

/** EXIF as other containers embed it: a whole TIFF structure. Keeps the first block that says something. */
export async function addExifBlock(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  if (found.exif !== undefined) return;
  const contents = await readTiff(source);
  if (contents === undefined || contents.tags.isEmpty) return;
  found.exif = contents.tags;
  await addTiffPackets(contents, found);
}

/** XMP and IPTC that are fields of the first directory. */
export async function addTiffPackets({ reader, tags }: TiffContents, found: EmbeddedMetadata): Promise<void> {
  const xmp = tags.image.fields.get(TAG.Xmp);
  const packet = xmp && (await reader.bytesOf(xmp, MAX_XMP_BYTES));
  if (packet !== undefined) addXmpPacket(found, packet);
  const iptc = tags.image.fields.get(TAG.IptcNaa);
  // Its type is often given as LONG and the bytes are meant all the same.
  found.iptc ??= iptc && (await reader.bytesOf(iptc, MAX_IPTC_BYTES));
}

async function readPointedIfd(reader: TiffReader, from: Ifd, tag: number): Promise<Ifd> {
  const pointer = from.fields.get(tag);
  if (pointer === undefined || pointer.isText) return EMPTY_IFD;
  const offset = pointer.number();
  return offset === undefined ? EMPTY_IFD : reader.readIfd(offset);
}
