import { compact, drone, otherPhone, phone, reflex, type SampleCamera } from './cameras.js';
import type { SceneName } from './scenes/all-scenes.js';

/** Photos of one journey, in one folder. Together they lie on all hemispheres, and on the lines that are easy to get wrong. */
export interface SampleTrip {
  readonly folder: string;
  /** The first day, as YYYY-MM-DD at the place. */
  readonly firstDay: string;
  readonly days: number;
  /** Minutes east of UTC at the place on those days. */
  readonly offsetMinutes: number;
  /** Where the photos are taken, degrees: shots go round these spots. Empty: nothing knows where it was. */
  readonly spots: readonly Spot[];
  readonly cameras: readonly [SampleCamera, ...SampleCamera[]];
  readonly scenes: readonly [SceneName, ...SceneName[]];
  /** This many frames are shot as one burst. */
  readonly burst?: { readonly camera: SampleCamera; readonly scene: SceneName; readonly frames: number };
}

export interface Spot {
  readonly latitude: number;
  readonly longitude: number;
  readonly altitudeM: number;
  /** How far shots lie from it, degrees; 0 keeps them on the line that the spot is on. */
  readonly spreadDegrees: number;
}

const around = (latitude: number, longitude: number, altitudeM: number): Spot => ({
  latitude,
  longitude,
  altitudeM,
  spreadDegrees: 0.02,
});
const exactly = (latitude: number, longitude: number, altitudeM: number): Spot => ({
  ...around(latitude, longitude, altitudeM),
  spreadDegrees: 0,
});

export const trips: readonly SampleTrip[] = [
  {
    folder: '2021-12 At home',
    firstDay: '2021-12-24',
    days: 2,
    offsetMinutes: 60,
    spots: [],
    cameras: [compact],
    scenes: ['portrait', 'table', 'city', 'flowers'],
    burst: { camera: compact, scene: 'portrait', frames: 3 },
  },
  {
    folder: '2022-02 Patagonia',
    firstDay: '2022-02-08',
    days: 4,
    offsetMinutes: -180,
    spots: [around(-50.9423, -73.4068, 220), around(-51.0561, -73.0906, 60)],
    cameras: [reflex, phone],
    scenes: ['mountains', 'sea', 'forest', 'mountains'],
    burst: { camera: reflex, scene: 'sea', frames: 5 },
  },
  {
    folder: '2022-11 Ecuador',
    firstDay: '2022-11-03',
    days: 3,
    offsetMinutes: -300,
    spots: [exactly(0, -78.4558, 2_483), around(-0.2202, -78.5127, 2_820)],
    cameras: [phone, reflex],
    scenes: ['portrait', 'city', 'mountains', 'flowers'],
  },
  {
    folder: '2023-04 Kyoto',
    firstDay: '2023-04-02',
    days: 5,
    offsetMinutes: 540,
    spots: [around(35.0394, 135.7292, 90), around(34.9671, 135.7727, 130)],
    cameras: [phone, compact],
    scenes: ['flowers', 'forest', 'table', 'night'],
    burst: { camera: phone, scene: 'flowers', frames: 4 },
  },
  {
    folder: '2023-06 Iceland',
    firstDay: '2023-06-14',
    days: 4,
    offsetMinutes: 0,
    spots: [around(63.4186, -19.006, 25), around(64.0784, -16.2306, 5)],
    cameras: [drone, otherPhone],
    scenes: ['sea', 'mountains', 'dunes', 'night'],
  },
  {
    folder: '2023-07 New Mexico',
    firstDay: '2023-07-20',
    days: 2,
    offsetMinutes: -360,
    spots: [around(32.7872, -106.3257, 1_220)],
    cameras: [otherPhone, reflex],
    scenes: ['dunes', 'night', 'portrait'],
  },
  {
    folder: '2023-09 Fiji',
    firstDay: '2023-09-11',
    days: 3,
    offsetMinutes: 720,
    spots: [exactly(-16.8, 179.9991, 12), exactly(-16.8, -179.9987, 9)],
    cameras: [phone, drone],
    scenes: ['sea', 'flowers', 'table', 'forest'],
  },
  {
    folder: '2024-01 Cape Town',
    firstDay: '2024-01-17',
    days: 4,
    offsetMinutes: 120,
    spots: [around(-33.9628, 18.4098, 1_060), around(-34.3568, 18.474, 80)],
    cameras: [reflex, otherPhone],
    scenes: ['mountains', 'city', 'sea', 'portrait'],
  },
  {
    folder: '2024-04 London',
    firstDay: '2024-04-19',
    days: 2,
    offsetMinutes: 60,
    spots: [exactly(51.4779, 0, 46), around(51.5079, -0.0877, 15)],
    cameras: [phone, compact],
    scenes: ['city', 'portrait', 'table', 'city'],
  },
  {
    folder: '2024-10 Nepal',
    firstDay: '2024-10-28',
    days: 5,
    offsetMinutes: 345,
    spots: [around(28.2096, 83.9856, 830), around(28.53, 83.878, 4_130)],
    cameras: [otherPhone, drone],
    scenes: ['mountains', 'forest', 'portrait', 'night'],
  },
];
