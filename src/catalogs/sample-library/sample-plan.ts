import type { SampleCamera } from './cameras.js';
import type { Light } from './scenes/scene.js';
import type { SceneName } from './scenes/all-scenes.js';
import { SeededRandom } from './seeded-random.js';
import { trips, type SampleTrip, type Spot } from './trips.js';

/** A press of the shutter: all that its file is made from. */
export interface SampleShot {
  /** Below the library's folder, with `/`. */
  readonly path: string;
  readonly camera: SampleCamera;
  /** The wall clock at the place, as milliseconds since 1970 as if it were UTC. */
  readonly localMs: number;
  readonly offsetMinutes: number;
  readonly position: Position | undefined;
  /** EXIF: 1 upright, 6 and 8 held sideways, 3 upside down. */
  readonly orientation: 1 | 3 | 6 | 8;
  readonly scene: SceneName;
  readonly light: Light;
  readonly seed: number;
  /** Which frame of its burst; 0 outside bursts. */
  readonly moment: number;
  /** Of a hand that shook, pixels; 0 = sharp. */
  readonly blurPixels: number;
}

export interface Position {
  readonly latitude: number;
  readonly longitude: number;
  readonly altitudeM: number;
}

const dayMs = 86_400_000;
/** When in the day the first, second, third … shot of a trip is taken. */
const hours = [12, 18, 8, 15, 7, 10, 20];

const burstFrames = trips.reduce((sum, { burst }) => sum + (burst?.frames ?? 0), 0);
/** With fewer, some trip would not show what it is there for. */
export const fewestShots = burstFrames + 2 * trips.length;

/**
 * Shots for `count` files (at least {@link fewestShots}), frames of bursts included, spread evenly over the trips.
 * Pure: same numbers, same shots.
 */
export function planShots(count: number, seed: number): SampleShot[] {
  const random = new SeededRandom(seed);
  const singles = Math.max(fewestShots, count) - burstFrames;
  const shots = trips.flatMap((trip, place) => {
    const share = Math.floor((singles * (place + 1)) / trips.length) - Math.floor((singles * place) / trips.length);
    return shotsOfTrip(trip, share, new SeededRandom(random.seed()));
  });
  return named(shots);
}

interface Press extends Pick<SampleShot, 'camera' | 'scene' | 'localMs'> {
  /** Which one of the trip. */
  readonly number: number;
}

type UnnamedShot = Omit<SampleShot, 'path'> & { readonly folder: string };

function shotsOfTrip(trip: SampleTrip, count: number, random: SeededRandom): UnnamedShot[] {
  const singles = Array.from({ length: count }, (_, number): UnnamedShot => {
    const camera = trip.cameras[number % trip.cameras.length] ?? trip.cameras[0];
    const scene = trip.scenes[number % trip.scenes.length] ?? trip.scenes[0];
    const day = Math.floor((number * trip.days) / count);
    const hour = scene === 'night' ? 22 : (hours[number % hours.length] ?? 12);
    // A minute of its own in that hour (7 and 60 have no common divisor): only bursts are to be found as bursts.
    const minutes = hour * 60 + ((number * 7) % 60);
    const localMs = Date.parse(trip.firstDay) + day * dayMs + minutes * 60_000 + random.integer(0, 50_000);
    const taken = shot(trip, { number, camera, scene, localMs }, random);
    return { ...taken, orientation: random.pick([1, 1, 1, 6, 8, 3]) };
  });
  return [...singles, ...(trip.burst ? burstOf(trip, trip.burst, random) : [])];
}

function burstOf(trip: SampleTrip, burst: NonNullable<SampleTrip['burst']>, random: SeededRandom): UnnamedShot[] {
  const startMs =
    Date.parse(trip.firstDay) + (trip.days - 1) * dayMs + Math.floor(random.between(13, 14.9) * 3_600_000);
  const first = shot(trip, { number: 0, camera: burst.camera, scene: burst.scene, localMs: startMs }, random);
  const sharpest = random.integer(0, burst.frames - 1);
  let localMs = startMs;
  return Array.from({ length: burst.frames }, (_, moment) => {
    if (moment > 0) localMs += burst.camera.writesSubSeconds ? random.integer(180, 900) : random.integer(1, 2) * 1_000;
    return { ...first, localMs, moment, blurPixels: moment === sharpest ? 0 : random.between(0.8, 2.2) };
  });
}

/** The trip's spots are visited in turn, so that a line that one of them lies on is sure to be photographed. */
function shot(trip: SampleTrip, { number, camera, scene, localMs }: Press, random: SeededRandom): UnnamedShot {
  const spot = trip.spots[number % trip.spots.length];
  return {
    folder: trip.folder,
    camera,
    scene,
    localMs,
    offsetMinutes: trip.offsetMinutes,
    position: spot && camera.writesGps ? near(spot, random) : undefined,
    orientation: 1,
    light: scene === 'night' ? 'night' : lightAt(new Date(localMs).getUTCHours()),
    seed: random.seed(),
    moment: 0,
    blurPixels: 0,
  };
}

function near({ latitude, longitude, altitudeM, spreadDegrees }: Spot, random: SeededRandom): Position {
  return {
    latitude: latitude + random.between(-spreadDegrees, spreadDegrees),
    longitude: longitude + random.between(-spreadDegrees, spreadDegrees),
    altitudeM: altitudeM + random.integer(0, 30),
  };
}

function lightAt(hour: number): Light {
  if (hour < 6 || hour >= 21) return 'night';
  if (hour < 8) return 'dawn';
  return hour < 18 ? 'day' : 'dusk';
}

/** Cameras number their files in the order of time. */
function named(shots: readonly UnnamedShot[]): SampleShot[] {
  const taken = new Map<SampleCamera, number>();
  return [...shots]
    .sort((a, b) => a.localMs - b.localMs)
    .map(({ folder, ...shot }) => {
      const serial = (taken.get(shot.camera) ?? 0) + 1;
      taken.set(shot.camera, serial);
      const stamp = new Date(shot.localMs).toISOString().replace(/[-:]/g, '').replace('T', '_').slice(0, 15);
      return { ...shot, path: `${folder}/${shot.camera.fileName(serial, stamp)}` };
    });
}
