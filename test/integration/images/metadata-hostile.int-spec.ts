import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ByteSource } from '../../../src/images/metadata/byte-source.js';
import { readFacts } from '../../../src/images/metadata/read-photo.js';
import type { PhotoProblem } from '../../../src/images/photo-facts.js';
import { describeWithSharedData } from '../../support/shared-data.js';

const MUTATIONS_PER_FILE = 100;
/** Larger files are cut to this: what is read of them stands in front. */
const MAX_BYTES = 80_000;
/** Processor time of one reading. It takes a millisecond; one that takes this long was led astray. */
const MAX_CPU_MS = 1000;

/** Tags are 64 KB at most, and the rest is little. */
const MAX_TEXT_LENGTH = 200_000;

/** One file of each kind, and those that are odd already. */
const SAMPLES = [
  'bursts/iphone-xr-a/IMG_3580.JPG',
  'bursts/iphone-xr-a/IMG_3579.HEIC',
  'neardup/imagededup/formats_images/giphy.gif',
  'neardup/imagededup/formats_images/ukbench09380.webp',
  'photos/elodie/photo.heic',
  'photos/elodie/photo.png',
  'photos/elodie/with-location.jpg',
  'photos/exif-samples/jpg/exif-org/sony-powershota5.jpg',
  'photos/exif-samples/jpg/gps/DSCN0010.jpg',
  'photos/exif-samples/jpg/invalid/image00971.jpg',
  'photos/exif-samples/jpg/mobile/HMD_Nokia_8.3_5G.jpg',
  'photos/exif-samples/tiff/Arbitro.tiff',
  'photos/exifr/001.tif',
  'photos/exifr/BonTonARTSTORplusIPTC.jpg',
  'photos/exifr/Bush-dog.jpg',
  'photos/exifr/avif/Irvine_CA.avif',
  'photos/exifr/heic-single.heic',
  'photos/exifr/iptc-agency-photographer-example.jpg',
  'photos/exifr/issue-exif-js-124.tiff',
  'photos/exifr/issue-exifr-13.jpg',
  'photos/exifr/jp2/RESULT-OK_0008.jp2',
  'photos/exifr/png/png_with_exif_and_gps.png',
  'photos/exifr/tif-with-iptc-icc-xmp.tif',
  'photos/exifr/xmp depth map.jpg',
  'photos/exifreader/test-brotli.jxl',
  'photos/exifreader/test.avif',
  'photos/exifreader/test.gif',
  'photos/exifreader/test.jxl',
  'photos/exifreader/test.png',
  'photos/exifreader/test.tiff',
  'photos/goexif/exif/corrupt/huge_tag_exif.jpg',
  'photos/goexif/exif/corrupt/infinite_loop_exif.jpg',
  'photos/goexif/exif/samples/2012-12-21-11-15-19-sep-IMG_0001.jpg',
  'photos/immich/formats/webp/denali.webp',
  'photos/immich/metadata/gps-position/thompson-springs.jpg',
  'photos/immich/metadata/faces/portrait.jpg',
  'photos/mapillary_tools/data/adobe_coords/adobe_coords.jpg',
  'photos/mapillary_tools/unit/data/corrupt_exif.jpg',
  'photos/photoprism/assets/examples/canon_eos_6d.dng',
  'photos/photoprism/assets/examples/example.bmp',
  'photos/photoprism/internal/meta/testdata/iptc-2014.jpg',
  'photos/photoprism/internal/meta/testdata/ladybug.jpg',
  'photos/pillow/avif/xmp_tags_orientation.avif',
  'photos/pillow/exif.png',
  'photos/pillow/hopper.ico',
  'photos/pillow/sugarshack.mpo',
  'photos/pillow/timeout-1ee28a249896e05b83840ae8140622de8e648ba9.psd',
  'photos/pillow/xmp_tags_orientation.png',
  'photos/sharp/relax.jp2',
  'photos/sharp/tifftag-photoshop.tiff',
];

describeWithSharedData('damaged photos', 'PHOTOS.tsv', (table) => {
  it('are read without throwing or hanging, whatever bytes are changed or cut off', async () => {
    const random = seeded(20_201_117);
    const bad: string[] = [];
    let slowestMs = 0;
    const cpuMs = (): number => process.cpuUsage().user / 1000;
    for (const sample of SAMPLES) {
      const original = (await readFile(join(dirname(table), sample))).subarray(0, MAX_BYTES);
      for (let round = 0; round < MUTATIONS_PER_FILE; round++) {
        const started = cpuMs();
        const text = JSON.stringify(await factsOf(mutated(original, random), sample));
        slowestMs = Math.max(slowestMs, cpuMs() - started);
        if (/\\u0000|\\ud[89a-f]/.test(text) || text.length > MAX_TEXT_LENGTH) bad.push(`${sample}, round ${round}`);
      }
    }
    expect(bad).toEqual([]);
    expect(slowestMs).toBeLessThan(MAX_CPU_MS);
  }, 120_000);
});

async function factsOf(bytes: Buffer, path: string): Promise<unknown> {
  const problems: PhotoProblem[] = [];
  const context = {
    path: `/${path}`,
    modifiedAt: new Date(0),
    now: new Date('2026-12-01'),
    sidecar: new Map<string, string>(),
  };
  return [await readFacts(ByteSource.ofBytes(bytes), context, problems), problems];
}

/** Changes one to twenty bytes, mostly near the beginning where structure stands, or cuts, or doubles a piece. */
function mutated(original: Buffer, random: () => number): Buffer {
  const bytes = Buffer.from(original);
  const changes = 1 + Math.floor(random() * 20);
  for (let change = 0; change < changes; change++) {
    const at = Math.floor(random() ** 3 * bytes.length);
    const interesting = [0, 1, 0x7f, 0x80, 0xfe, 0xff, Math.floor(random() * 256)];
    bytes[at] = interesting[Math.floor(random() * interesting.length)] ?? 0;
  }
  const kind = random();
  const place = Math.floor(random() * bytes.length);
  if (kind < 0.2) return bytes.subarray(0, place);
  if (kind < 0.3) return Buffer.concat([bytes.subarray(0, place), bytes.subarray(Math.floor(place / 2))]);
  return bytes;
}

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
