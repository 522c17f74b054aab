import { IANAZone } from 'luxon';
import { invalid } from '../../platform/errors/app-error.js';

const MINUTE_MS = 60_000;
/** Shorter than any time between two changes since 1970: Recife's summer of 2000 lasted a week. */
const PROBE_MS = 5 * 86_400_000;

/** No zone has changes that are known one by one after this (Morocco's end in 2087): from here on they go by rules. */
const REGULAR_FROM = 2100;
/** After so many years dates and days of the week are the same again, and so are the changes. */
const CYCLE_YEARS = 400;

/** A time during which a zone's clocks keep one distance to UTC. Times in milliseconds; `end` is the next one's start. */
export interface ZoneSegment {
  readonly start: number;
  readonly end: number;
  /** Local time minus UTC. */
  readonly offset: number;
}

/** How a time zone's clocks run, by the rules that this process knows (ICU's copy of the IANA database). */
export class ZoneClock {
  private static readonly known = new Map<string, ZoneClock>();
  /** By year of UTC: asking the engine for an offset takes longer than all else. */
  private readonly years = new Map<number, readonly ZoneSegment[]>();

  private constructor(
    readonly name: string,
    private readonly zone: IANAZone,
  ) {}

  /** In any letter case. @throws invalid `unknown_time_zone`. */
  static of(name: string): ZoneClock {
    const key = name.toLowerCase();
    let clock = this.known.get(key);
    if (clock === undefined) {
      // Offsets such as +02:00 pass for zones in newer engines; they have no rules, and no name to show.
      if (!/^[a-z]/i.test(name) || !IANAZone.isValidZone(name)) throw unknownZone(name);
      const spelt = spelling(name);
      clock = new ZoneClock(spelt, IANAZone.create(spelt));
      this.known.set(key, clock);
    }
    return clock;
  }

  /** From `time` on, without end: the first begins at `time`, and none goes beyond a year of UTC. */
  *segmentsFrom(time: number): Generator<ZoneSegment, never> {
    for (let year = new Date(time).getUTCFullYear(); ; year += 1) {
      for (const segment of this.segmentsOf(year)) {
        if (segment.end > time) yield segment.start >= time ? segment : { ...segment, start: time };
      }
    }
  }

  private segmentsOf(year: number): readonly ZoneSegment[] {
    if (year < REGULAR_FROM + CYCLE_YEARS) return this.knownSegmentsOf(year);
    const alike = REGULAR_FROM + ((year - REGULAR_FROM) % CYCLE_YEARS);
    const later = Date.UTC(year, 0, 1) - Date.UTC(alike, 0, 1);
    const shifted = ({ start, end, offset }: ZoneSegment) => ({ start: start + later, end: end + later, offset });
    return this.knownSegmentsOf(alike).map(shifted);
  }

  private knownSegmentsOf(year: number): readonly ZoneSegment[] {
    let segments = this.years.get(year);
    if (segments === undefined) {
      segments = this.findSegments(Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1));
      this.years.set(year, segments);
    }
    return segments;
  }

  private findSegments(from: number, to: number): readonly ZoneSegment[] {
    const segments: ZoneSegment[] = [];
    let [start, offset] = [from, this.offset(from)];
    for (let time = from; time < to;) {
      const next = Math.min(time + PROBE_MS, to);
      if (this.offset(next) === offset) {
        time = next;
        continue;
      }
      time = this.firstChange(time, next);
      if (time === to) break; // the next year's
      segments.push({ start, end: time, offset });
      [start, offset] = [time, this.offset(time)];
    }
    return [...segments, { start, end: to, offset }];
  }

  /** The first moment after `before`, at `after` or earlier, with another offset; to the second. */
  private firstChange(before: number, after: number): number {
    const offset = this.offset(before);
    let [low, high] = [before, after];
    while (high - low > 1_000) {
      const middle = low + Math.floor((high - low) / 2_000) * 1_000;
      if (this.offset(middle) === offset) low = middle;
      else high = middle;
    }
    return high;
  }

  private offset(time: number): number {
    return Math.round(this.zone.offset(time) * MINUTE_MS);
  }
}

/** As the IANA database writes it, where it lists the name (it leaves out links such as UTC). */
function spelling(name: string): string {
  const lower = name.toLowerCase();
  return (
    Intl.supportedValuesOf('timeZone').find((zone) => zone.toLowerCase() === lower) ?? (lower === 'utc' ? 'UTC' : name)
  );
}

const unknownZone = (name: string): Error =>
  invalid('unknown_time_zone', `There is no time zone "${name}".`, {
    fields: [
      {
        path: 'time_zone',
        message: 'is not a known time zone',
        value: name,
        allowed: 'a name of the IANA database: Europe/Berlin, America/New_York, UTC, …',
      },
    ],
  });
