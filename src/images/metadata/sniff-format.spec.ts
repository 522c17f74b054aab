import { aBox, aJpeg, aPng } from '../../../test/support/build-photo.js';
import { cpuMsOf } from '../../../test/support/cpu-time.js';
import { sniffFormat } from './sniff-format.js';

function sniff(head: Buffer | string): string {
  const found = sniffFormat(typeof head === 'string' ? Buffer.from(head, 'latin1') : head);
  return found.kind === 'picture' ? found.format : found.kind === 'other' ? found.what : 'unknown';
}

const ftyp = (major: string, ...compatible: string[]): Buffer =>
  aBox('ftyp', Buffer.from(`${major}\0\0\0\0${compatible.join('')}`, 'latin1'));

const icon = Buffer.from('00000100010010100000010020006804000016000000', 'hex');

describe('the kind of file by its content', () => {
  it.each<[string, Buffer | string]>([
    ['jpeg', aJpeg()],
    ['png', aPng()],
    ['gif', 'GIF89a'],
    ['gif', 'GIF87a'],
    ['webp', 'RIFF\x10\0\0\0WEBPVP8 '],
    ['tiff', 'II*\0\x08\0\0\0'],
    ['tiff', 'MM\0*\0\0\0\x08'],
    ['tiff', 'II+\0\x08\0\0\0'],
    ['cr2', 'II*\0\x10\0\0\0CR\x02\0'],
    ['crw', 'II\x1a\0\0\0HEAPCCDR\x02\0'],
    ['orf', 'IIRO\x08\0\0\0'],
    ['orf', 'MMOR\0\0\0\x08'],
    ['rw2', 'IIU\0\x18\0\0\0'],
    ['raf', 'FUJIFILMCCD-RAW 0201'],
    ['x3f', 'FOVb\x02\0\x02\0'],
    ['mrw', '\0MRM\0\x01\0\0'],
    ['kyocera-raw', `${'\0'.repeat(0x19)}ARECOYK`],
    ['psd', '8BPS\0\x01'],
    ['jp2', '\0\0\0\x0cjP  \r\n\x87\n'],
    ['jp2', '\xff\x4f\xff\x51\0\x2f'],
    ['jxl', '\xff\x0a\x7a\0'],
    ['jxl', '\0\0\0\x0cJXL \r\n\x87\n'],
    ['bmp', 'BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x10\0\0\0\x0c\0\0\0'],
    ['ico', icon],
    ['heic', ftyp('heic', 'mif1', 'heic')],
    ['heic', ftyp('heix')],
    ['heif', ftyp('mif1', 'heic', 'mif1')],
    ['avif', ftyp('avif', 'mif1')],
    ['avif', ftyp('mif1', 'avif', 'miaf')],
    ['cr3', ftyp('crx ', 'crx ', 'isom')],
    ['svg', Buffer.from('\ufeff<?xml version="1.0"?>\n<!-- a --><!DOCTYPE svg PUBLIC "x">\n<svg width="1">')],
    ['a QuickTime film', ftyp('qt  ')],
    ['an MP4 film', ftyp('isom', 'avc1')],
    ['an MP4 film', ftyp('mp42')],
    ['a QuickTime film', aBox('moov', Buffer.alloc(16))],
    ['an AVI film', 'RIFF\x10\0\0\0AVI LIST'],
    ['a Matroska film', '\x1aE\xdf\xa3'],
    ['a PDF document', '%PDF-1.7'],
    ['a ZIP archive', 'PK\x03\x04'],
    ['an HTML page', '\n<!DOCTYPE html><html>'],
    ['an XMP sidecar', '<x:xmpmeta xmlns:x="adobe:ns:meta/">'],
    ['a text', 'BMW is a car\nand this is a text'],
    ['unknown', '\x01\x02\x03\x04'],
    ['unknown', ''],
    ['unknown', '\xff\xd8'],
  ])('is %s', (expected, head) => {
    expect(sniff(head)).toBe(expected);
  });

  it('is found at once in texts made to take long', async () => {
    const ms = await cpuMsOf(() => {
      expect(sniff('<!-- -->'.repeat(10_000))).toBe('a text');
    });
    expect(ms).toBeLessThan(200);
  });
});
