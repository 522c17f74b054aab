import { ByteSource } from '../byte-source.js';
import {
  addXmpPacket,
  corrupt,
  MAX_EXIF_BYTES,
  MAX_XMP_BYTES,
  setSize,
  truncated,
  type EmbeddedMetadata,
} from '../embedded-metadata.js';
import { addExifBlock } from '../tiff/read-tiff.js';
import { withoutExifPrefix } from './png.js';
import { itemInfos, itemLocations, primaryItem, propertiesOf, type ItemInfo, type ItemLocation } from './heif-items.js';
import { findBox, listBoxes, type Box } from './iso-boxes.js';

/** The `meta` box describes the items; pictures of many tiles have one of some hundred kilobytes. */
const MAX_META_BYTES = 8 * 1024 * 1024;
/** Phones write EXIF, XMP, and XMP of depth and portrait masks. */
const MAX_METADATA_ITEMS = 16;

/** HEIC, HEIF and AVIF: size and turn are properties of the primary item; EXIF and XMP are items. */
export async function readHeif(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const boxes = await listBoxes(source);
  const metaBox = findBox(boxes, 'meta');
  if (metaBox === undefined || metaBox.content.size > MAX_META_BYTES) {
    found.problems.push(corrupt('The HEIF container has no description of its pictures.'));
    return;
  }
  // In memory: its many small boxes are stepped through several times.
  const bytes = await metaBox.content.read(0, metaBox.content.size);
  const meta = await listBoxes(ByteSource.ofBytes(bytes), 4);
  await readPrimaryProperties(meta, found);
  if (boxes.some((box) => box.cut)) found.problems.push(truncated('The HEIF container ends within a box.'));
  else if (found.width === undefined) found.problems.push(corrupt('The HEIF container states no size.'));
  await readItems(source, meta, found);
}

async function readPrimaryProperties(meta: readonly Box[], found: EmbeddedMetadata): Promise<void> {
  let angle = 0;
  let mirror: number | undefined;
  let isTransformed = false;
  for (const property of await propertiesOf(meta, await primaryItem(meta))) {
    const content = await property.content.read(0, 12);
    if (property.type === 'ispe' && content.length === 12 && found.width === undefined) {
      setSize(found, content.readUInt32BE(4), content.readUInt32BE(8));
    } else if (property.type === 'irot' && content.length > 0) {
      angle = content.readUInt8(0) & 3;
      isTransformed = true;
    } else if (property.type === 'imir' && content.length > 0) {
      mirror = content.readUInt8(0) & 1;
      isTransformed = true;
    }
  }
  if (isTransformed) found.containerOrientation = orientationOf(angle, mirror);
}

/**
 * EXIF's number for a turn by `angle` × 90° anticlockwise followed by a mirroring (ISO 23008-12 6.5.10, 6.5.12: axis 0
 * flips top and bottom, 1 left and right).
 */
export function orientationOf(angle: number, mirror: number | undefined): number {
  const plain = [1, 8, 3, 6];
  const topBottom = [4, 5, 2, 7];
  const leftRight = [2, 7, 4, 5];
  const row = mirror === undefined ? plain : mirror === 0 ? topBottom : leftRight;
  return row[angle] ?? 1;
}

async function readItems(source: ByteSource, meta: readonly Box[], found: EmbeddedMetadata): Promise<void> {
  const locations = await itemLocations(meta);
  // By construction method: the file, the `idat` box; method 2 (another item) is not in use for metadata.
  const origins = [source, findBox(meta, 'idat')?.content];
  const isMetadata = ({ type }: ItemInfo): boolean => type === 'Exif' || type === 'mime';
  for (const item of (await itemInfos(meta)).filter(isMetadata).slice(0, MAX_METADATA_ITEMS)) {
    const location = locations.get(item.id);
    if (location === undefined) continue;
    if (item.type === 'Exif' && found.exif === undefined) {
      const data = await itemBytes(location, origins, MAX_EXIF_BYTES);
      if (data !== undefined && data.length > 8) await addExifBlock(ByteSource.ofBytes(exifOf(data)), found);
    } else if (item.type === 'mime' && item.contentType === 'application/rdf+xml') {
      const data = await itemBytes(location, origins, MAX_XMP_BYTES);
      if (data !== undefined) addXmpPacket(found, data);
    }
  }
}

/** An Exif item begins with the offset of its TIFF header, which some writers leave out. */
function exifOf(data: Buffer): Buffer {
  const order = data.toString('latin1', 0, 2);
  if (order === 'II' || order === 'MM') return data;
  return withoutExifPrefix(data.subarray(Math.min(4 + data.readUInt32BE(0), data.length)));
}

async function itemBytes(
  location: ItemLocation,
  origins: readonly (ByteSource | undefined)[],
  limit: number,
): Promise<Buffer | undefined> {
  const origin = origins[location.method];
  if (origin === undefined) return undefined;
  const parts: Buffer[] = [];
  let total = 0;
  for (const extent of location.extents) {
    const length = extent.length === 0 ? origin.size - extent.offset : extent.length;
    total += length;
    if (total > limit) return undefined;
    parts.push(await origin.read(extent.offset, length));
  }
  return Buffer.concat(parts);
}
