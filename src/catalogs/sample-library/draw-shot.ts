import sharp, { type OverlayOptions, type Raw, type Sharp } from 'sharp';
import { exifOf } from './exif-of-shot.js';
import type { SampleShot } from './sample-plan.js';
import { allScenes } from './scenes/all-scenes.js';
import { svgOf } from './scenes/svg.js';
import { addGrain, cloudTexture } from './scenes/textures.js';
import { SeededRandom } from './seeded-random.js';

/** What turns an upright picture into the pixels that a camera held that way stores; the EXIF orientation undoes it. */
const storedRotation = { 1: 0, 3: 180, 6: 270, 8: 90 } as const;

/** The shot as the camera's JPEG file, 4:3 or 3:4. */
export async function drawShot(shot: SampleShot, longSide: number): Promise<Buffer> {
  const { data, raw } = await pixelsOf(shot, longSide);
  const strength = shot.light === 'night' || shot.light === 'dusk' ? 14 : 6;
  addGrain(data, raw, { seed: shot.seed + shot.moment, strength });
  const picture = sharp(data, { raw });
  return (shot.blurPixels > 0 ? picture.blur(shot.blurPixels) : picture)
    .rotate(storedRotation[shot.orientation])
    .jpeg({ quality: 88 })
    .withExif(exifOf(shot))
    .withMetadata({ orientation: shot.orientation })
    .toBuffer();
}

interface Pixels {
  readonly data: Buffer;
  readonly raw: Raw;
}

async function pixelsOf(shot: SampleShot, longSide: number): Promise<Pixels> {
  const [long, short] = [longSide, Math.round(longSide * 0.75)];
  const sideways = shot.orientation === 6 || shot.orientation === 8;
  const size = sideways ? { width: short, height: long } : { width: long, height: short };
  const random = new SeededRandom(shot.seed);
  const drawing = allScenes[shot.scene]({ ...size, light: shot.light, random, moment: shot.moment });
  const layers: OverlayOptions[] = [];
  if (drawing.clouds > 0) {
    const { data, ...raw } = cloudTexture(shot.seed, drawing.clouds);
    const clouds = sharp(data, { raw }).resize({ ...size, fit: 'fill', kernel: 'linear' });
    const { data: input, raw: enlarged } = await pixels(clouds);
    layers.push({ input, raw: enlarged });
  }
  layers.push({ input: svgOf(size, drawing.foreground) });
  return pixels(sharp(svgOf(size, drawing.backdrop)).composite(layers).removeAlpha());
}

async function pixels(image: Sharp): Promise<Pixels> {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return { data, raw: { width: info.width, height: info.height, channels: info.channels } };
}
