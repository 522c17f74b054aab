import tzLookup from '@photostructure/tz-lookup';
import { DateTime, FixedOffsetZone, IANAZone, type Zone } from 'luxon';
import type { CaptureTime } from '../../photo-facts.js';

export interface Coordinates {
  readonly latitude: number;
  readonly longitude: number;
}

export interface ResolvedZone {
  readonly zone: Zone;
  readonly source: NonNullable<CaptureTime['zoneSource']>;
}

export interface ZoneEvidence {
  /** An offset that belongs to this very date, with where it stood. */
  readonly offset: { readonly minutes: number; readonly source: 'offset-tag' | 'in-date' | 'sidecar' } | undefined;
  readonly position: Coordinates | undefined;
  /** UTC by the GPS receiver at the moment of the photo. */
  readonly gpsTimeMs: number | undefined;
  /** An offset that belongs to another date of the file (that of the last change): better than nothing. */
  readonly otherOffsetMinutes: number | undefined;
}

/**
 * The zone in which a wall clock ran. An offset that was recorded with the date wins; then the zone at the place, which
 * knows daylight saving at that date; then the difference to GPS time. Never the zone of the machine that reads.
 */
export function resolveZone(wallMs: number, evidence: ZoneEvidence): ResolvedZone | undefined {
  const { offset, position, gpsTimeMs, otherOffsetMinutes } = evidence;
  const local = position && zoneAt(position);
  if (offset !== undefined) {
    // The place's zone says more (`America/Denver`) where it agrees.
    const agreeing = local?.offset(instantOf(wallMs, local)) === offset.minutes ? local : undefined;
    return { zone: agreeing ?? FixedOffsetZone.instance(offset.minutes), source: offset.source };
  }
  if (local !== undefined) return { zone: local, source: 'gps-position' };
  const byGpsTime = gpsTimeMs === undefined ? undefined : offsetFromGpsTime(wallMs, gpsTimeMs);
  if (byGpsTime !== undefined) return { zone: FixedOffsetZone.instance(byGpsTime), source: 'gps-time' };
  if (otherOffsetMinutes === undefined) return undefined;
  return { zone: FixedOffsetZone.instance(otherOffsetMinutes), source: 'offset-tag' };
}

/** IANA's zone of a place; at sea the nautical one as a fixed offset. */
export function zoneAt({ latitude, longitude }: Coordinates): Zone | undefined {
  const name = tzLookup(latitude, longitude);
  const nautical = /^Etc\/GMT(?:([+-])(\d+))?$/.exec(name);
  // POSIX counts west as positive.
  if (nautical) return FixedOffsetZone.instance(Number(nautical[2] ?? 0) * (nautical[1] === '+' ? -60 : 60));
  const zone = IANAZone.create(name);
  return zone.isValid ? zone : undefined;
}

/** Offsets in use that are not whole hours, in minutes. */
const BROKEN_OFFSETS = [-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825];
/** How far a camera's clock may be off GPS time and still tell its zone: of the offsets, none are nearer than 15 minutes. */
const CLOCK_TOLERANCE_MINUTES = 5;

/** Minutes east of UTC that explain the difference of a wall clock to GPS time. */
export function offsetFromGpsTime(wallMs: number, gpsTimeMs: number): number | undefined {
  const differenceMinutes = (wallMs - gpsTimeMs) / 60_000;
  const candidates = [Math.round(differenceMinutes / 60) * 60, ...BROKEN_OFFSETS];
  return candidates.find(
    (minutes) =>
      minutes >= -12 * 60 && minutes <= 14 * 60 && Math.abs(differenceMinutes - minutes) <= CLOCK_TOLERANCE_MINUTES,
  );
}

/** The instant at which a clock in that zone showed this; either one in the hour that occurs twice. */
export function instantOf(wallMs: number, zone: Zone): number {
  return DateTime.fromMillis(wallMs, { zone: 'utc' }).setZone(zone, { keepLocalTime: true }).toMillis();
}

/** What a clock in that zone shows at an instant. */
export function wallOf(instantMs: number, zone: Zone): number {
  return instantMs + Math.round(zone.offset(instantMs) * 60_000);
}

/** `America/Denver`, `UTC`, `UTC-06:00`. */
export function zoneName(zone: Zone): string {
  if (!(zone instanceof FixedOffsetZone)) return zone.name;
  const minutes = zone.offset(0);
  if (minutes === 0) return 'UTC';
  const absolute = Math.abs(minutes);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `UTC${minutes < 0 ? '-' : '+'}${two(Math.floor(absolute / 60))}:${two(absolute % 60)}`;
}
