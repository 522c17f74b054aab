import sharp from 'sharp';
import { drawShot } from './draw-shot.js';
import type { FileSource, SampleFileKind } from './sample-file.js';
import { planShots } from './sample-plan.js';
import { ellipse, gradient, rectangle, svgOf } from './scenes/svg.js';
import { SeededRandom } from './seeded-random.js';

/** How many of them are pictures that can be read. */
export const strayPictures = 2;

/** What lies about in every library: pictures that no camera took, and files that are broken in three ways. */
export function strays(seed: number): FileSource[] {
  // The time tells libraries of different seeds apart, as it does with the shots.
  const modifiedMs = Date.parse('2024-11-05T19:30:00Z') + (seed % 86_400) * 1_000;
  const stray = (kind: SampleFileKind, path: string, content: () => Promise<Buffer> | string): FileSource => ({
    files: [{ path, kind, modifiedMs }],
    contents: async () => [await content()],
  });
  return [
    stray('screenshot', 'Screenshots/Screenshot_20241105-193000.png', () => screenshot(seed)),
    stray('web', 'Downloads/poster.webp', () => poster(seed)),
    stray('broken', 'Unsorted/nothing-in-it.jpg', () => ''),
    stray('broken', 'Unsorted/packing list.jpg', () => 'Tent, stove, matches.\nNot a picture.\n'),
    stray('broken', 'Unsorted/half-copied.jpg', () => truncated(seed)),
  ];
}

async function truncated(seed: number): Promise<Buffer> {
  const [shot] = planShots(0, seed + 1).slice(5);
  if (shot === undefined) throw new Error('a plan has shots');
  const jpeg = await drawShot(shot, 1_024);
  return jpeg.subarray(0, Math.floor(jpeg.length * 0.4));
}

/** A telephone's screen: flat colours, bars like lines of text, no camera data. */
function screenshot(seed: number): Promise<Buffer> {
  const size = { width: 750, height: 1_334 };
  const random = new SeededRandom(seed);
  const rows = Array.from({ length: 11 }, (_, row) => {
    const y = 150 + row * 104;
    const colour = random.pick(['#e4572e', '#17bebb', '#ffc914', '#2e282a', '#76b041']);
    return [
      rectangle([0, y + 94, size.width, 1], '#dcdfe4'),
      ellipse([76, y + 45, 36, 36], colour),
      rectangle([140, y + 18, random.between(180, 460), 18], '#33363b'),
      rectangle([140, y + 52, random.between(260, 560), 14], '#a5a9b0'),
    ];
  });
  const page = rectangle([0, 0, size.width, size.height], '#f7f8fa');
  const bar = rectangle([0, 0, size.width, 130], '#2166d1') + rectangle([40, 64, 280, 26], '#ffffff');
  return sharp(svgOf(size, page + bar + rows.flat().join('')))
    .removeAlpha()
    .png()
    .toBuffer();
}

/** From the web. */
function poster(seed: number): Promise<Buffer> {
  const size = { width: 900, height: 1_200 };
  const random = new SeededRandom(seed);
  const rings = Array.from({ length: 9 }, (_, ring) => {
    const radius = 420 - ring * 44;
    return ellipse([450, 520, radius, radius], random.pick(['#f94144', '#f8961e', '#f9c74f', '#43aa8b', '#277da1']));
  });
  const colours = [
    [0, '#14213d'],
    [1, '#3a0ca3'],
  ] as const;
  const paper = gradient('paper', colours) + rectangle([0, 0, size.width, size.height], 'url(#paper)');
  const lines = rectangle([120, 1_010, 660, 46], '#fdfdfd') + rectangle([220, 1_090, 460, 22], '#fdfdfd');
  return sharp(svgOf(size, paper + rings.join('') + lines))
    .removeAlpha()
    .webp({ quality: 80 })
    .toBuffer();
}
