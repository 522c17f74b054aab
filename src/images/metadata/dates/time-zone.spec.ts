import { offsetFromGpsTime, resolveZone, wallOf, zoneAt, zoneName, instantOf, type ZoneEvidence } from './time-zone.js';

const DENVER = { latitude: 39.7392, longitude: -104.9903 };
const BERLIN = { latitude: 52.52, longitude: 13.405 };
const NOTHING: ZoneEvidence = {
  offset: undefined,
  position: undefined,
  gpsTimeMs: undefined,
  otherOffsetMinutes: undefined,
};

/** The zone found for a wall clock, and the instant it then means. */
function judge(wall: string, evidence: Partial<ZoneEvidence>): string {
  const wallMs = Date.parse(`${wall}Z`);
  const found = resolveZone(wallMs, { ...NOTHING, ...evidence });
  if (found === undefined) return 'unknown';
  return `${zoneName(found.zone)} by ${found.source}: ${new Date(instantOf(wallMs, found.zone)).toISOString()}`;
}

describe('the zone of a wall clock', () => {
  it('is the recorded offset, whatever the place says', () => {
    expect(judge('2020-04-17T10:03:42', { offset: { minutes: 120, source: 'offset-tag' }, position: DENVER })).toBe(
      'UTC+02:00 by offset-tag: 2020-04-17T08:03:42.000Z',
    );
  });

  it('is named after the place where the recorded offset agrees with it', () => {
    expect(judge('2020-04-17T10:03:42', { offset: { minutes: -360, source: 'offset-tag' }, position: DENVER })).toBe(
      'America/Denver by offset-tag: 2020-04-17T16:03:42.000Z',
    );
  });

  it('is that of the place, with daylight saving as it was at that date', () => {
    expect([
      judge('2020-01-17T10:00:00', { position: BERLIN }),
      judge('2020-07-17T10:00:00', { position: BERLIN }),
      judge('1979-07-17T10:00:00', { position: BERLIN }),
    ]).toEqual([
      'Europe/Berlin by gps-position: 2020-01-17T09:00:00.000Z',
      'Europe/Berlin by gps-position: 2020-07-17T08:00:00.000Z',
      'Europe/Berlin by gps-position: 1979-07-17T09:00:00.000Z',
    ]);
  });

  it('is a fixed one at sea and at the poles', () => {
    expect([
      judge('2020-01-17T10:00:00', { position: { latitude: 30, longitude: -150 } }),
      judge('2020-01-17T10:00:00', { position: { latitude: 0, longitude: 0.001 } }),
      judge('2020-01-17T10:00:00', { position: { latitude: 90, longitude: 180 } }),
    ]).toEqual([
      'UTC-10:00 by gps-position: 2020-01-17T20:00:00.000Z',
      'UTC by gps-position: 2020-01-17T10:00:00.000Z',
      expect.stringMatching(/by gps-position/),
    ]);
  });

  it('follows from GPS time without a place', () => {
    expect(judge('2015-02-28T17:10:49', { gpsTimeMs: Date.UTC(2015, 1, 28, 9, 10, 49) })).toBe(
      'UTC+08:00 by gps-time: 2015-02-28T09:10:49.000Z',
    );
  });

  it('is that of the last change only when nothing else is known', () => {
    expect(judge('2019-06-06T07:29:51', { otherOffsetMinutes: 120 })).toBe(
      'UTC+02:00 by offset-tag: 2019-06-06T05:29:51.000Z',
    );
    expect(judge('2019-06-06T07:29:51', { otherOffsetMinutes: 120, position: DENVER })).toMatch(/^America\/Denver/);
  });

  it('is unknown without evidence, wherever this machine stands', () => {
    expect(judge('2019-06-06T07:29:51', {})).toBe('unknown');
  });
});

describe('the difference to GPS time', () => {
  const offsetAt = (wall: string, gps: string): number | undefined =>
    offsetFromGpsTime(Date.parse(`${wall}Z`), Date.parse(`${gps}Z`));

  it('tells whole hours and the offsets between them, clocks being minutes off', () => {
    expect([
      offsetAt('2020-01-01T12:00:00', '2020-01-01T14:00:10'),
      offsetAt('2020-01-01T12:00:00', '2020-01-01T06:32:00'),
      offsetAt('2020-01-01T12:00:00', '2020-01-01T06:14:00'),
      offsetAt('2020-01-01T00:30:00', '2020-01-01T00:30:00'),
      offsetAt('2020-01-02T01:00:00', '2020-01-01T12:00:00'),
    ]).toEqual([-120, 330, 345, 0, 780]);
  });

  it('tells nothing where no offset explains it', () => {
    expect([
      offsetAt('2020-01-01T12:00:00', '2020-01-01T11:40:00'),
      offsetAt('2020-01-03T12:00:00', '2020-01-01T12:00:00'),
      offsetAt('2008-10-22T16:28:39', '2008-10-23T14:27:07'),
      offsetAt('2020-01-01T12:00:00', '2020-01-01T11:15:00'),
    ]).toEqual([undefined, undefined, undefined, undefined]);
  });
});

it('shows an instant on the clocks of a place', () => {
  const zone = zoneAt(DENVER);
  const instant = Date.parse('2022-01-10T21:15:33.519Z');
  expect(zone && new Date(wallOf(instant, zone)).toISOString()).toBe('2022-01-10T14:15:33.519Z');
});
