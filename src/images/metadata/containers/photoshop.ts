import { ByteSource } from '../byte-source.js';
import {
  addXmpPacket,
  corrupt,
  MAX_EXIF_BYTES,
  MAX_IPTC_BYTES,
  setSize,
  truncated,
  type EmbeddedMetadata,
} from '../embedded-metadata.js';
import { addExifBlock } from '../tiff/read-tiff.js';

const RESOURCE = { iptc: 0x0404, exif: 0x0422, xmp: 0x0424 } as const;
const SIGNATURES = ['8BIM', 'PHUT', 'DCSR', 'AgHg', 'MeSa'];
const MAX_RESOURCES_BYTES = 8 * 1024 * 1024;

/** Photoshop document: the header gives the size, the image resources everything else. */
export async function readPsd(source: ByteSource, found: EmbeddedMetadata): Promise<void> {
  const header = await source.read(0, 30);
  if (header.length < 30) {
    found.problems.push(truncated('The Photoshop document ends within its header.'));
    return;
  }
  setSize(found, header.readUInt32BE(18), header.readUInt32BE(14));
  if (found.width === undefined) found.problems.push(corrupt('The Photoshop document states no size.'));
  const resourcesAt = 30 + header.readUInt32BE(26);
  const lengthField = await source.read(resourcesAt, 4);
  if (lengthField.length < 4) return;
  const resources = await source.read(resourcesAt + 4, Math.min(lengthField.readUInt32BE(0), MAX_RESOURCES_BYTES));
  await addPhotoshopResources(resources, found);
}

/** Photoshop's image resource blocks, as in PSD, in JPEG's APP13 and in TIFF. */
export async function addPhotoshopResources(resources: Buffer, found: EmbeddedMetadata): Promise<void> {
  for (let at = 0; at + 12 <= resources.length;) {
    if (!SIGNATURES.includes(resources.toString('latin1', at, at + 4))) return;
    const id = resources.readUInt16BE(at + 4);
    const nameLength = resources.readUInt8(at + 6);
    const sizeAt = at + 6 + even(nameLength + 1);
    if (sizeAt + 4 > resources.length) return;
    const size = resources.readUInt32BE(sizeAt);
    const data = resources.subarray(sizeAt + 4, sizeAt + 4 + size);
    await addResource(id, data, found);
    at = sizeAt + 4 + even(size);
  }
}

async function addResource(id: number, data: Buffer, found: EmbeddedMetadata): Promise<void> {
  if (id === RESOURCE.iptc && data.length <= MAX_IPTC_BYTES) found.iptc ??= data;
  if (id === RESOURCE.xmp) addXmpPacket(found, data);
  if (id === RESOURCE.exif && data.length <= MAX_EXIF_BYTES) await addExifBlock(ByteSource.ofBytes(data), found);
}

const even = (size: number): number => size + (size % 2);
