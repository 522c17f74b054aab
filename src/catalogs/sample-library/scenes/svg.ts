import type { SeededRandom } from '../seeded-random.js';
import type { Frame, SkyColours } from './scene.js';

export type Point = readonly [x: number, y: number];

const short = (value: number): string => value.toFixed(1);

/** Where something stands, and how large it is. */
export type Sized = readonly [x: number, y: number, size: number];
export type Box = readonly [x: number, y: number, width: number, height: number];

export function rectangle([x, y, width, height]: Box, fill: string): string {
  return `<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" fill="${fill}"/>`;
}

export function ellipse([x, y, rx, ry]: readonly [x: number, y: number, rx: number, ry: number], fill: string): string {
  return `<ellipse cx="${short(x)}" cy="${short(y)}" rx="${short(rx)}" ry="${short(ry)}" fill="${fill}"/>`;
}

export function polygon(points: readonly Point[], fill: string): string {
  return `<polygon points="${points.map(([x, y]) => `${short(x)},${short(y)}`).join(' ')}" fill="${fill}"/>`;
}

/** `#rrggbb` that what is behind it shows through: 0 is not there, 1 is opaque. */
export function translucent(colour: string, opacity: number): string {
  return `${colour}${hex(opacity * 255)}`;
}

/** Top to bottom. Its id is unique within a drawing as long as `id` is. */
export function gradient(id: string, stops: readonly (readonly [offset: number, colour: string])[]): string {
  const body = stops.map(([offset, colour]) => `<stop offset="${String(offset)}" stop-color="${colour}"/>`).join('');
  return `<defs><linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1">${body}</linearGradient></defs>`;
}

export function glow([x, y]: Point, radius: number, colour: string): string {
  const rings = [1, 0.7, 0.45, 0.28].map((part) =>
    ellipse([x, y, radius * part, radius * part], translucent(colour, 0.16)),
  );
  return rings.join('');
}

export function sky({ width, height }: Frame, colours: SkyColours, horizon: number): string {
  const { top, middle, bottom } = colours;
  const stops = [
    [0, top],
    [horizon * 0.6, middle],
    [horizon, bottom],
    [1, bottom],
  ] as const;
  return gradient('sky', stops) + rectangle([0, 0, width, height], 'url(#sky)');
}

/** `#rrggbb` with its light scaled, towards black below 1 and towards white above. */
export function shaded(colour: string, factor: number): string {
  return changed(colour, (value) => (factor <= 1 ? value * factor : 255 - (255 - value) * (2 - factor)));
}

export function mixed(one: string, other: string, part: number): string {
  return changed(one, (value, channel) => value * (1 - part) + (channels(other)[channel] ?? 0) * part);
}

function changed(colour: string, change: (value: number, channel: number) => number): string {
  return `#${channels(colour)
    .map((value, channel) => hex(change(value, channel)))
    .join('')}`;
}

const channels = (colour: string): number[] => [1, 3, 5].map((from) => parseInt(colour.slice(from, from + 2), 16));

const hex = (value: number): string =>
  Math.round(Math.min(255, Math.max(0, value)))
    .toString(16)
    .padStart(2, '0');

export interface RidgeShape {
  readonly width: number;
  /** Where its ends are; heights are pixels around it. */
  readonly y: number;
  readonly roughness: number;
  /** A power of two. */
  readonly steps?: number;
}

/** A rugged line from left to right by midpoint displacement. */
export function ridge(random: SeededRandom, { width, y, roughness, steps = 64 }: RidgeShape): Point[] {
  const heights = new Array<number>(steps + 1).fill(0);
  for (let span = steps, swing = roughness; span > 1; span >>= 1, swing *= 0.55) {
    for (let from = 0; from < steps; from += span) {
      const middle = ((heights[from] ?? 0) + (heights[from + span] ?? 0)) / 2;
      heights[from + (span >> 1)] = middle + random.between(-swing, swing);
    }
  }
  return heights.map((height, step) => [(step / steps) * width, y + height] as const);
}

/** What lies below a line, down to the lower edge of the frame. */
export function below(line: readonly Point[], { width, height }: Frame, fill: string): string {
  return polygon([...line, [width, height], [0, height]], fill);
}

export function svgOf({ width, height }: { width: number; height: number }, body: string): Buffer {
  const size = `width="${String(width)}" height="${String(height)}"`;
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" ${size}>${body}</svg>`);
}
