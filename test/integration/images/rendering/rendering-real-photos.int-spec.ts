import { join } from 'node:path';
import type { RenderOutcome } from '../../../../src/images/rendering/render-request.js';
import { describeWithSharedData } from '../../../support/shared-data.js';
import { aStudio, distance, quarterColours, realPhotos, type RealPhoto } from './rendering-fixtures.js';

const NOT_PICTURES = ['XMP', ''];
const NEITHER_DECODED_NOR_PREVIEWED = ['BMP', 'JP2', 'J2C', 'JXL', 'ICO', 'PSD'];
const HEIC = ['HEIC', 'HEIF'];

/** Damaged, and not by the loss of their end. All others that are damaged have lost it. */
const CORRUPT = [
  'photos/elodie/photo.heic', // coded as 100 × 76, declared as 100 × 74
  'photos/exif-samples/jpg/corrupted.jpg',
  'photos/pillow/broken.png',
  'photos/pillow/broken_data_stream.png',
  'photos/pillow/crash-0da013a13571cc8eb457a39fee8db18f8a3c7127.tif',
  'photos/pillow/crash-74d2a78403a5a59db1fb0a2b8735ac068a75f6e3.tif',
  'photos/pillow/oom-225817ca0f8c663be7ab4b9e717b02c661e66834.tif',
];
/** A TIFF of a compression that libtiff does not decode, which holds a whole JPEG. */
const OLD_STYLE_JPEG = 'photos/pillow/old-style-jpeg-compression.tif';

/** What the table says of a photo, in our words: the codes, and whether there are pictures. */
function expected({ path, type, bytes, sharpDecode }: RealPhoto): {
  codes: string[];
  pictures: boolean | 'if previewed';
} {
  const damage = CORRUPT.includes(path) ? 'corrupt' : 'truncated';
  if (bytes === 0) return { codes: ['empty_file'], pictures: false };
  if (NOT_PICTURES.includes(type)) return { codes: ['not_an_image'], pictures: false };
  if (NEITHER_DECODED_NOR_PREVIEWED.includes(type)) return { codes: ['unsupported_format'], pictures: false };
  if (type === 'DNG' || path === OLD_STYLE_JPEG) return { codes: ['preview_only'], pictures: true };
  if (sharpDecode === 'ok' || (HEIC.includes(type) && !CORRUPT.includes(path))) return { codes: [], pictures: true };
  if (sharpDecode.includes('exceeds pixel limit')) return { codes: ['too_many_pixels'], pictures: false };
  return { codes: [damage], pictures: sharpDecode.endsWith('lenient ok') || 'if previewed' };
}

describeWithSharedData('rendering real photos', '.', (folder) => {
  const realPhoto = (path: string): string => join(folder, path);
  const { render } = aStudio();

  it('ends each of them as its decodability says', async () => {
    const surprises: unknown[] = [];
    const tasks = realPhotos(folder).map(async (photo) => {
      const format = photo.type === 'DNG' ? 'dng' : photo.type.toLowerCase();
      const outcome = await render(realPhoto(photo.path), { format, orientation: photo.orientation });
      const found = summary(outcome);
      const wanted = expected(photo);
      if (wanted.pictures === 'if previewed' && found.codes.includes('preview_only')) {
        wanted.codes.push('preview_only');
      }
      const pictures = wanted.pictures === 'if previewed' ? wanted.codes.includes('preview_only') : wanted.pictures;
      const isAsWanted = found.codes.join() === wanted.codes.join() && found.pictures === pictures;
      if (!isAsWanted || !isWellFormed(outcome)) surprises.push({ path: photo.path, found, wanted });
    });
    await Promise.all(tasks);

    expect(surprises).toEqual([]);
    expect(tasks.length).toBeGreaterThan(700);
  }, 600_000);

  it.each(['landscape', 'portrait'])('makes all eight orientations of a %s the same picture', async (name) => {
    const pictures = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7, 8].map(async (orientation) => {
        const path = realPhoto(`photos/exif-samples/jpg/orientation/${name}_${orientation}.jpg`);
        const { renditions, width, height } = await render(path, { orientation, sizes: [256] });
        return { size: [width, height], quarters: (await quarterColours(renditions[0]!.bytes)).flat() };
      }),
    );

    const [upright] = pictures;
    expect(upright!.size).toEqual(name === 'landscape' ? [600, 450] : [450, 600]);
    expect(pictures.map(({ size }) => size)).toEqual(pictures.map(() => upright!.size));
    // A digit in the middle tells them apart, and they were compressed once each.
    expect(Math.max(...pictures.map(({ quarters }) => distance(quarters, upright!.quarters)))).toBeLessThan(40);
  });

  it('applies the turns that an AVIF or HEIC container states once, and those of EXIF where it states none', async () => {
    const names = ['rot0mir0', 'rot0mir1', 'rot1mir0', 'rot1mir1', 'rot2mir0', 'rot2mir1', 'rot3mir0', 'rot3mir1'];
    const sizes = await Promise.all(
      names.map(async (name) => {
        const { width, height } = await render(realPhoto(`photos/pillow/avif/${name}.avif`), {
          format: 'avif',
          orientation: 6,
        });
        return [width, height];
      }),
    );
    const stated = await render(realPhoto('photos/photoprism/assets/examples/iphone_15_pro.heic'), { orientation: 6 });
    const onlyInExif = await render(realPhoto('photos/photoprism/assets/examples/iphone_7.heic'), { orientation: 6 });

    expect(sizes).toEqual(names.map(() => [640, 427]));
    expect([stated.width, stated.height]).toEqual([3024, 4032]);
    expect([onlyInExif.width, onlyInExif.height]).toEqual([3024, 4032]);
  }, 60_000);

  it('finds the picture that a HEIF container calls its primary one', async () => {
    const { width, height } = await render(realPhoto('photos/sharp/pitm.avif'), { format: 'avif' });

    expect([width, height]).toEqual([4096, 800]);
  });
});

function summary({ renditions, problems }: RenderOutcome): { codes: string[]; pictures: boolean } {
  return { codes: problems.map(({ code }) => code), pictures: renditions.length > 0 };
}

/** Both sizes, within their bounds, or an error that says why not. */
function isWellFormed({ renditions, thumbhash, width, height, problems }: RenderOutcome): boolean {
  if (renditions.length === 0) return thumbhash === undefined && problems.some(({ severity }) => severity === 'error');
  const longest = Math.max(width, height);
  return (
    thumbhash !== undefined &&
    renditions.map(({ size }) => size).join() === '256,512' &&
    renditions.every((one) => Math.max(one.width, one.height) === Math.min(one.size, longest) && one.bytes.length > 100)
  );
}
