import { flowers, portrait, table } from './close-ups.js';
import { dunes, mountains, sea } from './landscapes.js';
import { city, forest, night } from './places.js';
import type { Scene } from './scene.js';

export const allScenes = { city, dunes, flowers, forest, mountains, night, portrait, sea, table } satisfies Record<
  string,
  Scene
>;

export type SceneName = keyof typeof allScenes;
