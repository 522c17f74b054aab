import type { Zone } from 'luxon';
import type { CaptureTime, DateCandidate } from '../../photo-facts.js';
import { formatWall, isClockStart, isPlausible, type WallTime } from './date-text.js';
import { instantOf, resolveZone, wallOf, zoneAt, zoneName, type Coordinates, type ZoneEvidence } from './time-zone.js';

/** How far each kind of source is to be believed, 0–100. Candidates are ranked by it, then by their order. */
export const CONFIDENCE = {
  sidecar: 97,
  /** Capture dates in EXIF, XMP, IPTC and GPS fields. */
  embedded: 95,
  /** The same, but only a day. */
  embeddedDay: 80,
  fileName: 70,
  fileNameDay: 65,
  /** Last change by a camera or an editor: never before the capture. */
  modified: 60,
  /** Names given by messengers: when it was sent or saved. */
  transfer: 55,
  directory: 50,
  filesystem: 30,
  /** The start of a device's clock. */
  clockStart: 20,
} as const;

/** One date that a source offers. */
export interface DateOffer {
  readonly source: string;
  readonly confidence: number;
  /** A wall clock's time, or with `isUtc` an instant. */
  readonly time: WallTime;
  readonly isUtc?: boolean;
  readonly offset?: ZoneEvidence['offset'];
  /** Not for sources outside the file's own clock: GPS time explains the camera's clock, not a file name's. */
  readonly otherOffsetMinutes?: number | undefined;
}

export interface Circumstances {
  readonly position: Coordinates | undefined;
  readonly gpsTimeMs: number | undefined;
  readonly nowMs: number;
}

export interface JudgedDates {
  /** The best of them. */
  readonly captured: CaptureTime | undefined;
  readonly candidates: readonly DateCandidate[];
}

/** Ranks the offers, leaves out the implausible ones, and finds the zone of each. */
export function judgeDates(offers: readonly DateOffer[], circumstances: Circumstances): JudgedDates {
  const ranked = offers
    .filter(({ time }) => isPlausible(time, circumstances.nowMs))
    .map((offer) => ({ offer, confidence: isClockStart(offer.time) ? CONFIDENCE.clockStart : offer.confidence }))
    .toSorted((one, other) => other.confidence - one.confidence)
    .map(({ offer, confidence }) => capture(offer, confidence, circumstances));
  return {
    captured: ranked[0],
    candidates: ranked.map(({ source, local, instant, confidence }) => ({ source, local, instant, confidence })),
  };
}

function capture(offer: DateOffer, confidence: number, circumstances: Circumstances): CaptureTime {
  const { time, source } = offer;
  const common = { source, confidence, subSecond: time.hasFraction };
  if (offer.isUtc === true) return { ...common, ...ofInstant(offer, circumstances.position) };
  const resolved = resolveZone(time.wallMs, {
    offset: offer.offset,
    position: circumstances.position,
    gpsTimeMs: circumstances.gpsTimeMs,
    otherOffsetMinutes: offer.otherOffsetMinutes,
  });
  return {
    ...common,
    local: formatWall(time),
    // A day has no instant.
    instant: resolved && time.hasTime ? formatInstant(instantOf(time.wallMs, resolved.zone)) : undefined,
    zone: resolved && zoneName(resolved.zone),
    zoneSource: resolved?.source,
  };
}

/** An instant is shown on the clocks of the place; without a place on those of UTC. */
function ofInstant(
  { time, source }: DateOffer,
  position: Coordinates | undefined,
): Pick<CaptureTime, 'local' | 'instant' | 'zone' | 'zoneSource'> {
  const zone: Zone | undefined = position && zoneAt(position);
  const instant = formatInstant(time.wallMs);
  if (zone === undefined) {
    const isGps = source.startsWith('gps');
    return {
      local: formatWall(time),
      instant,
      zone: isGps ? 'UTC' : undefined,
      zoneSource: isGps ? 'gps-time' : undefined,
    };
  }
  const local = formatWall({ ...time, wallMs: wallOf(time.wallMs, zone) });
  return { local, instant, zone: zoneName(zone), zoneSource: 'gps-position' };
}

const formatInstant = (instantMs: number): string => new Date(instantMs).toISOString();
