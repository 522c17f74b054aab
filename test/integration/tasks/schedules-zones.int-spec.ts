import { Timetable } from '../../../src/tasks/schedules/timetable.js';
import { cronOf, EVERY_HOUR, type ModelExpression, ModelZone, modelTicks } from './schedule-model.js';

/** More of them, and another seed, for a longer look: one more takes some 10 s. */
const EXPRESSIONS = Number(process.env.PHOTOSAFE_TEST_CRON_EXPRESSIONS ?? 1);
const SEED = Number(process.env.PHOTOSAFE_TEST_SEED ?? 20_270_101);
const FROM = Date.UTC(2025, 0, 1);
const TO = Date.UTC(2035, 0, 1);
const DAY = 86_400_000;

/** mulberry32 (Tommy Ettinger, public domain). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const random = seeded(SEED);
const below = (limit: number): number => Math.floor(random() * limit);
const some = (from: number, to: number, count: number): number[] =>
  [...new Set(Array.from({ length: 1 + below(count) }, () => from + below(to - from + 1)))].sort((a, b) => a - b);

/** Times at which clocks are set are as likely as all the others together. */
const someHours = (): number[] => (random() < 0.5 ? some(0, 4, 3) : some(0, 23, 2));
const someTimes = (): ModelExpression => ({ minutes: some(0, 59, 2), hours: someHours() });
const someDays = (): ModelExpression => ({
  ...someTimes(),
  ...(random() < 0.6 && { monthDays: some(1, 28, 4) }),
  ...(random() < 0.5 && { months: some(1, 12, 6) }),
  ...(random() < 0.6 && { weekDays: some(0, 6, 3) }),
});
const someHourly = (): ModelExpression => ({ minutes: some(0, 59, 3), hours: EVERY_HOUR });

function differences(
  zone: ModelZone,
  expression: ModelExpression,
  ranges: readonly (readonly [number, number])[],
): string[] {
  const timetable = Timetable.of(cronOf(expression), zone.name);
  return ranges.flatMap(([from, to]) => {
    const expected = modelTicks(expression, zone, [from, to]);
    const actual = [...timetable.between(new Date(from), new Date(to))].map((tick) => tick.getTime());
    const at = expected.findIndex((tick, i) => tick !== actual[i]);
    if (at < 0 && actual.length === expected.length) return [];
    const shown = (tick?: number): string => (tick === undefined ? 'none' : new Date(tick).toISOString());
    const place = at < 0 ? expected.length : at;
    return [`${zone.name} "${cronOf(expression)}": due ${shown(expected[place])}, given ${shown(actual[place])}`];
  });
}

describe('over ten years, in every zone that there is', () => {
  const zones = Intl.supportedValuesOf('timeZone').map((name) => new ModelZone(name));

  it('each due moment ticks once, and no other does', () => {
    const found: string[] = [];
    for (const zone of zones) {
      for (let i = 0; i < EXPRESSIONS; i += 1) found.push(...differences(zone, someDays(), [[FROM, TO]]));
    }
    expect(found).toEqual([]);
  });

  it('times of day and expressions of every hour keep to their rules wherever clocks are set', () => {
    const found: string[] = [];
    let changes = 0;
    for (const zone of zones) {
      const days = zone.changes(FROM, TO);
      changes += days.length;
      const ranges = days.map((day) => [day - DAY, day + 2 * DAY] as const);
      found.push(...differences(zone, { minutes: [0, 30], hours: [0, 1, 2, 3] }, ranges));
      found.push(...differences(zone, someTimes(), ranges));
      found.push(...differences(zone, someHourly(), ranges));
    }
    expect(found).toEqual([]);
    expect(changes).toBeGreaterThan(2_000);
  });
});
