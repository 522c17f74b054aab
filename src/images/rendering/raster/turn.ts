import type { Pixels } from './pixels.js';
import { toPixels, vips } from './vips.js';

/** How each EXIF orientation is undone: mirror left to right first, then turn clockwise. */
const TURNS: ReadonlyMap<number, { readonly mirror: boolean; readonly degrees: number }> = new Map([
  [2, { mirror: true, degrees: 0 }],
  [3, { mirror: false, degrees: 180 }],
  [4, { mirror: true, degrees: 180 }],
  [5, { mirror: true, degrees: 270 }],
  [6, { mirror: false, degrees: 90 }],
  [7, { mirror: true, degrees: 90 }],
  [8, { mirror: false, degrees: 270 }],
]);

/** Makes a stored picture upright. 1 and numbers that EXIF does not know leave it as it is. */
export async function turnUpright(pixels: Pixels, orientation: number | undefined): Promise<Pixels> {
  const turn = orientation === undefined ? undefined : TURNS.get(orientation);
  if (!turn) return pixels;
  const mirrored = turn.mirror ? await toPixels(vips(pixels).flop()) : pixels;
  return turn.degrees === 0 ? mirrored : toPixels(vips(mirrored).rotate(turn.degrees));
}

/** Width and height change places. */
export function liesOnItsSide(orientation: number | undefined): boolean {
  return orientation !== undefined && orientation >= 5 && orientation <= 8;
}
