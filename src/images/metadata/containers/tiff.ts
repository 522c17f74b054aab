import { ByteSource } from '../byte-source.js';
import { corrupt, setSize, truncated, type EmbeddedMetadata } from '../embedded-metadata.js';
import { addTiffPackets, readTiff, type TiffContents } from '../tiff/read-tiff.js';
import { TAG } from '../tiff/tag-names.js';
import type { Ifd } from '../tiff/tiff-reader.js';
import { addPhotoshopResources } from './photoshop.js';
import { readJpeg } from './jpeg.js';

const REDUCED_IMAGE = 1;
const MAX_PHOTOSHOP_BYTES = 1024 * 1024;
/** Of RW2: the sensor's used part, and a JPEG with the EXIF. */
const RW2_TAG = { top: 0x0004, left: 0x0005, bottom: 0x0006, right: 0x0007, preview: 0x002e } as const;

/** Photometric interpretations of sensor data: colour filter array, and linear raw. */
const SENSOR_DATA = [32803, 34892];
/** Compressions that only RAW files have: Sony, Nikon, Samsung (3), Pentax, Kodak. */
const RAW_COMPRESSIONS = [32767, 34713, 32769, 32770, 32772, 65535, 65000];

/** TIFF and the RAW formats that are built as TIFF. Gives the format as the content tells it. */
export async function readTiffFile(source: ByteSource, sniffed: string, found: EmbeddedMetadata): Promise<string> {
  const contents = await readTiff(source);
  if (contents === undefined || contents.tags.image.fields.size === 0) {
    found.problems.push(
      contents && contents.reader.firstIfdOffset >= source.size
        ? truncated('The TIFF ends before its directory.')
        : corrupt('The TIFF has no directory.'),
    );
    return sniffed;
  }
  const format = sniffed === 'tiff' ? rawFamilyOf(contents) : sniffed;
  if (!contents.tags.isEmpty) found.exif = contents.tags;
  await addTiffPackets(contents, found);
  const photoshop = contents.tags.image.fields.get(TAG.Photoshop);
  const resources = photoshop && (await contents.reader.bytesOf(photoshop, MAX_PHOTOSHOP_BYTES));
  if (resources !== undefined) await addPhotoshopResources(resources, found);
  if (format === 'rw2') await readRw2(source, contents, found);
  else setMainImageSize(contents, found);
  if (contents.tags.image.cut) found.problems.push(truncated('The TIFF ends within its directory.'));
  else if (found.width === undefined) found.problems.push(corrupt('The TIFF states no size.'));
  return format;
}

/** The first picture that is not a reduced version of another; RAW files begin with a thumbnail. */
function setMainImageSize({ images }: TiffContents, found: EmbeddedMetadata): void {
  const isFull = (ifd: Ifd): boolean =>
    ((ifd.fields.get(TAG.NewSubfileType)?.number() ?? 0) & REDUCED_IMAGE) === 0 && ifd.fields.has(TAG.ImageWidth);
  const main = images.find(isFull) ?? images[0];
  setSize(found, main?.fields.get(TAG.ImageWidth)?.number(), main?.fields.get(TAG.ImageLength)?.number());
}

async function readRw2(source: ByteSource, { tags }: TiffContents, found: EmbeddedMetadata): Promise<void> {
  const value = (tag: number): number => tags.image.fields.get(tag)?.number() ?? NaN;
  const preview = tags.image.fields.get(RW2_TAG.preview);
  if (preview !== undefined) {
    // Its EXIF has what the file's own directory lacks: sub-seconds, offsets, GPS.
    const inner: EmbeddedMetadata = { ...found, exif: undefined, problems: [] };
    await readJpeg(source.window(preview.offset, preview.sizeBytes), inner);
    found.exif = inner.exif ?? found.exif;
  }
  setSize(found, value(RW2_TAG.right) - value(RW2_TAG.left), value(RW2_TAG.bottom) - value(RW2_TAG.top));
}

const FAMILIES_BY_MAKE: readonly (readonly [RegExp, string])[] = [
  [/^nikon/i, 'nef'],
  [/^sony/i, 'arw'],
  [/^(pentax|ricoh|asahi)/i, 'pef'],
  [/^samsung/i, 'srw'],
];

/** A TIFF with sensor data is the RAW file of its maker; those of makers without a format of their own stay TIFF. */
function rawFamilyOf({ tags, images }: TiffContents): string {
  if (tags.image.fields.has(TAG.DNGVersion)) return 'dng';
  const isRaw = images.some((ifd) => {
    const photometric = ifd.fields.get(TAG.PhotometricInterpretation)?.number() ?? -1;
    const compression = ifd.fields.get(TAG.Compression)?.number() ?? -1;
    return SENSOR_DATA.includes(photometric) || RAW_COMPRESSIONS.includes(compression);
  });
  const make = tags.text(TAG.Make) ?? '';
  const family = FAMILIES_BY_MAKE.find(([maker]) => maker.test(make))?.[1];
  return isRaw && family !== undefined ? family : 'tiff';
}
