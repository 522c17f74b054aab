import sharp, { type Color, type Sharp } from 'sharp';
import { thumbHashToAverageRGBA } from 'thumbhash';
import { aStudio, distance, meanColour, QUARTERS, quarterColours, quarters } from './rendering-fixtures.js';

const rgb = (hex: string): number[] => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const UPRIGHT = QUARTERS.map(rgb);

/** How far JPEG and resizing may move a flat colour. */
const TOLERANCE = 6;

type Step = (picture: Sharp) => Sharp;

const turn =
  (degrees: number): Step =>
  (picture) =>
    picture.rotate(degrees);
const mirror: Step = (picture) => picture.flop();

/** What a camera stores that was held so: the inverse of what a viewer must do. */
const STORED_BY: Readonly<Record<number, readonly Step[]>> = {
  1: [],
  2: [mirror],
  3: [turn(180)],
  4: [mirror, turn(180)],
  5: [turn(90), mirror],
  6: [turn(270)],
  7: [turn(270), mirror],
  8: [turn(90)],
};

/** Step by step, because a pipeline has an order of its own. */
async function stored(picture: Sharp, orientation: number): Promise<Sharp> {
  let bytes = await picture.png().toBuffer();
  for (const step of STORED_BY[orientation] ?? []) bytes = await step(sharp(bytes)).png().toBuffer();
  return sharp(bytes);
}

describe('the renditions of a picture', () => {
  const { render, save } = aStudio();

  it('come in the sizes asked for, longest side first, with the aspect kept', async () => {
    const path = await save('large.jpg', quarters(1000, 500).jpeg());

    const { renditions, width, height, problems } = await render(path, { sizes: [256, 512, 64] });

    expect(renditions.map(({ size, width: w, height: h }) => [size, w, h])).toEqual([
      [256, 256, 128],
      [512, 512, 256],
      [64, 64, 32],
    ]);
    expect([width, height, problems]).toEqual([1000, 500, []]);
    for (const { bytes, mimeType, ...size } of renditions) {
      const { format, width: w, height: h } = await sharp(bytes).metadata();
      expect([format, mimeType, w, h]).toEqual(['jpeg', 'image/jpeg', size.width, size.height]);
    }
  });

  it('are never larger than the picture', async () => {
    const { renditions } = await render(await save('small.png', quarters(300, 200).png()), { sizes: [256, 512, 1024] });

    expect(renditions.map(({ size, width, height }) => [size, width, height])).toEqual([
      [256, 256, 171],
      [512, 300, 200],
      [1024, 300, 200],
    ]);
  });

  it('survive extreme shapes', async () => {
    const { renditions } = await render(await save('line.png', quarters(4000, 2).png()));

    expect(renditions.map(({ width, height }) => [width, height])).toEqual([
      [256, 1],
      [512, 1],
    ]);
  });

  it('carry neither metadata nor a profile', async () => {
    const picture = quarters(600, 400)
      .withExif({ IFD0: { Copyright: 'me' } })
      .withIccProfile('p3')
      .withXmp('<x:xmpmeta/>');
    const { renditions } = await render(await save('tagged.jpg', picture.jpeg()));

    const found = await sharp(renditions[0]!.bytes).metadata();

    expect([found.exif, found.icc, found.xmp, found.orientation, found.space]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      'srgb',
    ]);
  });

  it('are as good as the quality asked for', async () => {
    const path = await save(
      'noise.jpg',
      sharp({
        create: {
          width: 600,
          height: 400,
          channels: 3,
          background: 'white',
          noise: { type: 'gaussian', mean: 128, sigma: 40 },
        },
      }).jpeg(),
    );

    const [low, high] = await Promise.all(
      [30, 95].map(async (quality) => (await render(path, { quality })).renditions[1]!.bytes.length),
    );

    expect(high! / low!).toBeGreaterThan(3);
  });

  it('come with a thumbhash of the upright picture', async () => {
    const { thumbhash } = await render(await save('hash.jpg', quarters(640, 480).jpeg()));

    const { r, g, b, a } = thumbHashToAverageRGBA(thumbhash!);
    const mean = [0, 1, 2].map((channel) => UPRIGHT.reduce((sum, colour) => sum + colour[channel]!, 0) / 4);

    expect(
      distance(
        [r, g, b].map((share) => share * 255),
        mean,
      ),
    ).toBeLessThan(30);
    expect(a).toBe(1);
  });

  describe('of all orientations', () => {
    it.each([
      ['jpeg', (picture: Sharp) => picture.jpeg({ quality: 95, chromaSubsampling: '4:4:4' })],
      ['png', (picture: Sharp) => picture.png()],
      ['webp', (picture: Sharp) => picture.webp({ lossless: true })],
      ['tiff', (picture: Sharp) => picture.tiff({ compression: 'lzw' })],
    ])(
      'are upright once: %s',
      async (format, encode) => {
        for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
          const picture = (await stored(quarters(400, 300), orientation)).withMetadata({ orientation });
          const path = await save(`${orientation}.${format}`, encode(picture));

          // Whether the metadata reader has told it or not: the picture says the same.
          for (const told of [orientation, undefined]) {
            const { renditions, width, height } = await render(path, { format, orientation: told });
            const colours = await quarterColours(renditions[0]!.bytes);
            expect({ orientation, width, height }).toEqual({ orientation, width: 400, height: 300 });
            expect(Math.max(...colours.map((colour, index) => distance(colour, UPRIGHT[index]!)))).toBeLessThan(
              TOLERANCE,
            );
          }
        }
      },
      60_000,
    );

    it('believe what the metadata reader has found where the decoder cannot', async () => {
      const path = await save(
        'sidecar.png',
        sharp(await quarters(400, 300).png().toBuffer())
          .rotate(270)
          .png(),
      );

      const { renditions, width, height } = await render(path, { format: 'png', orientation: 6 });

      expect([width, height]).toEqual([400, 300]);
      expect(distance((await quarterColours(renditions[0]!.bytes))[0]!, UPRIGHT[0]!)).toBeLessThan(TOLERANCE);
    });

    it.each([0, 9, 36865])('take the number %d for nothing said', async (orientation) => {
      const { width, height } = await render(await save('plain.jpg', quarters(400, 300).jpeg()), { orientation });

      expect([width, height]).toEqual([400, 300]);
    });
  });

  describe('in sRGB', () => {
    const COLOUR = '#c86432';
    /** What inks cannot print is lost when the sample is made; inverted inks would be off by a hundred and more. */
    const INKS = 30;
    const flat = (channels: 3 | 4 = 3, background: Color = COLOUR): Sharp =>
      sharp({ create: { width: 300, height: 200, channels, background } });

    it.each([
      ['Display P3', () => flat().withIccProfile('p3').jpeg({ quality: 95 }), 3],
      ['CMYK with a profile', () => flat().toColourspace('cmyk').withIccProfile('cmyk').jpeg({ quality: 95 }), INKS],
      ['CMYK without one', () => flat().toColourspace('cmyk').jpeg({ quality: 95 }), INKS],
      ['Lab', () => flat().toColourspace('lab').tiff(), 3],
      ['16 bits', () => flat().toColourspace('rgb16').png(), 3],
      ['a palette', () => flat().png({ palette: true }), 3],
      ['AVIF', () => flat().avif({ quality: 90 }), 4],
      ['WebP', () => flat().webp({ quality: 95 }), 4],
    ])('from %s', async (name, make, tolerance) => {
      const format = (await sharp(await make().toBuffer()).metadata()).format;
      const path = await save(name.replaceAll(' ', '-'), make());

      const { renditions, problems } = await render(path, { format: format === 'heif' ? 'avif' : format });

      expect(problems).toEqual([]);
      expect(distance(await meanColour(renditions[1]!.bytes), rgb(COLOUR))).toBeLessThanOrEqual(tolerance);
    });

    it('really convert: the same numbers in Display P3 are a stronger colour', async () => {
      const p3 = await flat(3, '#b46e50').withIccProfile('p3').jpeg({ quality: 95 }).toBuffer();
      const stored = await sharp(p3, { ignoreIcc: true }).stats();
      const { renditions } = await render(await save('p3.jpg', p3));

      const [red = 0] = await meanColour(renditions[1]!.bytes);

      expect(red - stored.channels[0]!.mean).toBeGreaterThan(4);
    });

    it('from grey, which stays grey', async () => {
      const path = await save('grey.jpg', flat(3, '#777777').toColourspace('b-w').jpeg());

      expect(distance(await meanColour((await render(path)).renditions[1]!.bytes), [0x77, 0x77, 0x77])).toBeLessThan(3);
    });

    it.each(['png', 'webp', 'gif'] as const)('show white where a %s is transparent', async (format) => {
      const path = await save(`clear.${format}`, flat(4, { r: 0, g: 0, b: 0, alpha: 0 }).toFormat(format));

      expect(
        distance(await meanColour((await render(path, { format })).renditions[1]!.bytes), [255, 255, 255]),
      ).toBeLessThan(2);
    });

    it('blend what is half transparent with white', async () => {
      const path = await save('half.png', flat(4, { r: 200, g: 0, b: 0, alpha: 0.5 }).png());

      const colour = await meanColour((await render(path, { format: 'png' })).renditions[1]!.bytes);

      expect(distance(colour, [228, 128, 128])).toBeLessThan(4);
    });
  });

  it.each(['gif', 'webp', 'tiff'] as const)('show the first of several frames or pages of a %s', async (format) => {
    const frames = await Promise.all(
      ['#d01010', '#10d010'].map((background) =>
        sharp({ create: { width: 120, height: 80, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    const animation = sharp(frames, { join: { animated: true } });
    const path = await save(`film.${format}`, format === 'tiff' ? animation.tiff() : animation.toFormat(format));

    const { renditions, width, height } = await render(path, { format });

    expect([width, height]).toEqual([120, 80]);
    expect(distance(await meanColour(renditions[0]!.bytes), rgb('#d01010'))).toBeLessThan(8);
  });
});
