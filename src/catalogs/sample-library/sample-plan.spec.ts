import { copyCounts, planCopies } from './sample-copies.js';
import { fewestShots, planShots, type SampleShot } from './sample-plan.js';

const shots = planShots(60, 1);

describe('planShots', () => {
  it('plans as many as asked for, each with a path of its own', () => {
    expect(shots).toHaveLength(60);
    expect(new Set(shots.map(({ path }) => path)).size).toBe(60);
    expect(planShots(1_000, 3)).toHaveLength(1_000);
  });

  it('plans the same for the same seed and something else for another', () => {
    expect(planShots(60, 1)).toEqual(shots);
    expect(planShots(60, 2)).not.toEqual(shots);
  });

  it.each([60, fewestShots, 0])('visits every line and hemisphere with %i shots', (count) => {
    const positions = planShots(count, 1).flatMap(({ position }) => position ?? []);

    const kinds = {
      equator: positions.some(({ latitude }) => latitude === 0),
      primeMeridian: positions.some(({ longitude }) => longitude === 0),
      antimeridianEast: positions.some(({ longitude }) => longitude > 179.9),
      antimeridianWest: positions.some(({ longitude }) => longitude < -179.9),
      northEast: positions.some(({ latitude, longitude }) => latitude > 1 && longitude > 1),
      northWest: positions.some(({ latitude, longitude }) => latitude > 1 && longitude < -1),
      southEast: positions.some(({ latitude, longitude }) => latitude < -1 && longitude > 1),
      southWest: positions.some(({ latitude, longitude }) => latitude < -1 && longitude < -1),
    };
    expect(Object.entries(kinds).filter(([, found]) => !found)).toEqual([]);
  });

  it('shoots bursts of at least three frames, never more than two seconds apart, exactly one of them sharp', () => {
    const bursts = burstsOf(shots);

    expect(bursts.map((frames) => frames.length)).toEqual([3, 5, 4]);
    for (const frames of bursts) {
      const gaps = frames.slice(1).map(({ localMs }, place) => localMs - (frames[place]?.localMs ?? 0));
      expect(Math.min(...gaps)).toBeGreaterThan(0);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(2_000);
      expect(frames.filter(({ blurPixels }) => blurPixels === 0)).toHaveLength(1);
      expect(new Set(frames.map(({ camera }) => camera)).size).toBe(1);
    }
  });

  it('keeps all else of one camera more than two seconds apart', () => {
    const singles = planShots(1_000, 1).filter((shot, _, all) => frames(shot, all) === 1);
    const perCamera = [...new Set(singles.map(({ camera }) => camera))].map((camera) =>
      singles.filter((shot) => shot.camera === camera).map(({ localMs }) => localMs),
    );

    const gaps = perCamera.flatMap((times) => times.slice(1).map((time, place) => time - (times[place] ?? 0)));
    expect(Math.min(...gaps)).toBeGreaterThan(2_000);
  });

  it('has zones with and without offset tags, positions with and without, and turned cameras', () => {
    expect(new Set(shots.map(({ camera }) => camera.writesOffset))).toEqual(new Set([true, false]));
    expect(new Set(shots.map(({ position }) => position === undefined))).toEqual(new Set([true, false]));
    expect(new Set(shots.map(({ orientation }) => orientation))).toEqual(new Set([1, 3, 6, 8]));
    expect(new Set(shots.map(({ camera }) => camera.model)).size).toBeGreaterThanOrEqual(4);
  });
});

describe('planCopies', () => {
  const copies = planCopies(shots, copyCounts(60));

  it('copies single shots, each at most once, to paths of their own', () => {
    expect(new Set(copies.map(({ of }) => of)).size).toBe(copies.length);
    expect(new Set([...shots, ...copies].map(({ path }) => path)).size).toBe(shots.length + copies.length);
    const copied = shots.filter(({ path }) => copies.some(({ of }) => of === path));
    expect(copied.filter((shot) => frames(shot, shots) > 1)).toEqual([]);
  });

  it('makes some of every kind', () => {
    const kinds = copies.map(({ kind }) => kind);
    const counted = Object.fromEntries(
      [...new Set(kinds)].map((kind) => [kind, kinds.filter((other) => other === kind).length]),
    );
    expect(counted).toEqual({ resized: 3, 're-encoded': 3, 'exact-copy': 2, sidecar: 1 });
  });
});

function frames(shot: SampleShot, all: readonly SampleShot[]): number {
  return all.filter(({ seed }) => seed === shot.seed).length;
}

function burstsOf(all: readonly SampleShot[]): SampleShot[][] {
  const seeds = [...new Set(all.map(({ seed }) => seed))];
  return seeds.map((seed) => all.filter((shot) => shot.seed === seed)).filter((group) => group.length > 1);
}
