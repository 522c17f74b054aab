import type { SeededRandom } from '../seeded-random.js';

export type Light = 'dawn' | 'day' | 'dusk' | 'night';

/** What a scene is drawn into. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly light: Light;
  readonly random: SeededRandom;
  /** Frames of a burst draw the same scene at moments 0, 1, 2 …: what lives in it has moved. */
  readonly moment: number;
}

/** SVG elements of the frame's size, from the back to the front. */
export interface Drawing {
  readonly backdrop: string;
  /** How much of the sky clouds cover, 0–1; they are drawn between backdrop and foreground. */
  readonly clouds: number;
  readonly foreground: string;
}

export type Scene = (frame: Frame) => Drawing;

export interface SkyColours {
  readonly top: string;
  readonly middle: string;
  readonly bottom: string;
  /** What the light makes of things that stand against it. */
  readonly haze: string;
}

const skies: Record<Light, readonly [SkyColours, ...SkyColours[]]> = {
  dawn: [
    { top: '#3b5b8f', middle: '#d9a08b', bottom: '#fbe3b5', haze: '#c9a6a0' },
    { top: '#54598c', middle: '#c98ea6', bottom: '#f7d9c4', haze: '#b79bb0' },
  ],
  day: [
    { top: '#1f5fae', middle: '#6ea6dc', bottom: '#cfe3f2', haze: '#a9c3d8' },
    { top: '#3478b8', middle: '#8fbfe0', bottom: '#e4eef2', haze: '#b8ccd6' },
    { top: '#6f8ea8', middle: '#a9bccb', bottom: '#d8dfe3', haze: '#aebcc6' },
  ],
  dusk: [
    { top: '#2b2f63', middle: '#c2566a', bottom: '#f9b25c', haze: '#8d5a72' },
    { top: '#1f3157', middle: '#7a5b8c', bottom: '#ef8b62', haze: '#6c587f' },
  ],
  night: [
    { top: '#050914', middle: '#0d1830', bottom: '#1d3150', haze: '#16243d' },
    { top: '#070616', middle: '#161436', bottom: '#2d2a56', haze: '#1d1a3c' },
  ],
};

export function skyColours({ light, random }: Frame): SkyColours {
  return random.pick(skies[light]);
}

/** How bright things are that do not shine themselves. */
export const brightness: Record<Light, number> = { dawn: 0.75, day: 1, dusk: 0.6, night: 0.28 };
