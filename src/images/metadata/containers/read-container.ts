import type { ByteSource } from '../byte-source.js';
import type { EmbeddedMetadata } from '../embedded-metadata.js';
import { readCiff } from './ciff.js';
import { readGif } from './gif.js';
import { readHeif } from './heif.js';
import { readJpeg2000 } from './jpeg-2000.js';
import { readJpegXl } from './jpeg-xl.js';
import { readJpeg } from './jpeg.js';
import { readPng } from './png.js';
import { readPsd } from './photoshop.js';
import { readCr3, readKyoceraRaw, readMrw, readRaf } from './raw-formats.js';
import { readBmp, readIco, readSvg } from './simple-formats.js';
import { readTiffFile } from './tiff.js';
import { readWebp } from './webp.js';
import { readX3f } from './x3f.js';

type Reader = (source: ByteSource, found: EmbeddedMetadata) => Promise<void>;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['jpeg', readJpeg],
  ['png', readPng],
  ['webp', readWebp],
  ['gif', readGif],
  ['heic', readHeif],
  ['heif', readHeif],
  ['avif', readHeif],
  ['jxl', readJpegXl],
  ['jp2', readJpeg2000],
  ['bmp', readBmp],
  ['ico', readIco],
  ['psd', readPsd],
  ['svg', readSvg],
  ['cr3', readCr3],
  ['crw', readCiff],
  ['raf', readRaf],
  ['mrw', readMrw],
  ['x3f', readX3f],
  ['kyocera-raw', readKyoceraRaw],
]);

/** Fills `found` with what the file of the sniffed format holds; gives the format, told more exactly where that is so. */
export async function readContainer(source: ByteSource, sniffed: string, found: EmbeddedMetadata): Promise<string> {
  const reader = READERS.get(sniffed);
  if (reader === undefined) return readTiffFile(source, sniffed, found);
  await reader(source, found);
  return sniffed;
}
