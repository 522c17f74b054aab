import { DateTime, IANAZone } from 'luxon';
import { Timetable } from './timetable.js';

/** `cron | zone`: the expression and the clocks that it is read on. */
const ticks = (timetable: string, after: string, count: number): string[] => {
  const [cron = '', zone = ''] = timetable.split(' | ');
  return Timetable.of(cron, zone)
    .preview(new Date(after), count)
    .map((tick) => tick.toISOString().replace('.000', ''));
};

const everyMinutes = (from: string, count: number, minutes: number): string[] =>
  Array.from({ length: count }, (_, i) =>
    new Date(new Date(from).getTime() + i * minutes * 60_000).toISOString().replace('.000', ''),
  );

describe('where clocks are set forward', () => {
  it.each([
    ['30 2 * * * | America/New_York', '2027-03-13T12:00:00Z', ['2027-03-14T07:00:00Z', '2027-03-15T06:30:00Z']],
    ['0,30 2 * * * | America/New_York', '2027-03-13T12:00:00Z', ['2027-03-14T07:00:00Z', '2027-03-15T06:00:00Z']],
    ['0 2,3 * * * | America/New_York', '2027-03-13T12:00:00Z', ['2027-03-14T07:00:00Z', '2027-03-15T06:00:00Z']],
    ['15 2 * * * | Australia/Lord_Howe', '2027-10-02T00:00:00Z', ['2027-10-02T15:30:00Z', '2027-10-03T15:15:00Z']],
    ['30 0 * * * | America/Santiago', '2027-09-04T12:00:00Z', ['2027-09-05T04:00:00Z', '2027-09-06T03:30:00Z']],
    ['0 0 * * * | Africa/Cairo', '2027-04-29T12:00:00Z', ['2027-04-29T22:00:00Z', '2027-04-30T21:00:00Z']],
    // A whole day was left out when Samoa went over the date line.
    ['30 12 30 12 * | Pacific/Apia', '2011-12-01T00:00:00Z', ['2011-12-30T10:00:00Z', '2012-12-29T22:30:00Z']],
  ])('%s ticks at the first moment after the gap, once', (timetable, after, expected) => {
    expect(ticks(timetable, after, 2)).toEqual(expected);
  });

  it('an expression of every hour goes on with the hours that there are', () => {
    expect(ticks('*/15 * * * * | America/New_York', '2027-03-14T06:29:59Z', 6)).toEqual(
      everyMinutes('2027-03-14T06:30:00Z', 6, 15),
    );
  });
});

describe('where clocks are set back', () => {
  it.each([
    ['30 1 * * * | America/New_York', '2027-11-06T12:00:00Z', ['2027-11-07T05:30:00Z', '2027-11-08T06:30:00Z']],
    ['45 1 * * * | Australia/Lord_Howe', '2027-04-03T00:00:00Z', ['2027-04-03T14:45:00Z', '2027-04-04T15:15:00Z']],
    ['30 23 * * sat | America/Santiago', '2027-04-03T12:00:00Z', ['2027-04-04T02:30:00Z', '2027-04-11T03:30:00Z']],
  ])('%s ticks the first time only', (timetable, after, expected) => {
    expect(ticks(timetable, after, 2)).toEqual(expected);
  });

  it('also for whoever asks between the first time and the second', () => {
    expect(ticks('30 1 * * * | America/New_York', '2027-11-07T05:45:00Z', 1)).toEqual(['2027-11-08T06:30:00Z']);
  });

  it('an expression of every hour ticks in both hours', () => {
    expect(ticks('*/15 * * * * | America/New_York', '2027-11-07T04:59:59Z', 8)).toEqual(
      everyMinutes('2027-11-07T05:00:00Z', 8, 15),
    );
  });
});

describe('a timetable', () => {
  it('gives ticks after a moment, which itself is none', () => {
    expect(ticks('0 3 * * * | UTC', '2027-01-01T03:00:00Z', 1)).toEqual(['2027-01-02T03:00:00Z']);
    expect(ticks('0 3 * * * | UTC', '2027-01-01T02:59:59.999Z', 1)).toEqual(['2027-01-01T03:00:00Z']);
    expect(ticks('*/20 * * * * * | utc', '2027-01-01T00:00:00.001Z', 2)).toEqual([
      '2027-01-01T00:00:20Z',
      '2027-01-01T00:00:40Z',
    ]);
  });

  it('waits eight years for a leap day', () => {
    expect(ticks('0 0 29 2 * | Europe/Berlin', '2096-03-01T00:00:00Z', 1)).toEqual(['2104-02-28T23:00:00Z']);
  });

  it('gives the last ticks before a moment as it gives all of them', () => {
    const timetable = Timetable.of('7,9 */5 * * *', 'Europe/Berlin');
    const [from, to] = [new Date('2027-01-01T00:00:00Z'), new Date('2027-03-30T12:00:00Z')];
    const all = [...timetable.between(from, to)];
    for (const count of [0, 1, 5, all.length - 1, all.length, all.length + 1]) {
      expect(timetable.lastBetween(from, to, count)).toEqual(count === 0 ? [] : all.slice(-count));
    }
  });

  it.each(['Mars/Olympus', '', '+02:00', 'Europe', 'UTC+1'])('knows no zone "%s"', (zone) => {
    expect(() => Timetable.of('@daily', zone)).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'unknown_time_zone' }) as Error,
    );
  });
});

describe('centuries ahead', () => {
  const local = (times: readonly string[], zone: string, format: string): Set<string> =>
    new Set(times.map((time) => DateTime.fromISO(time, { zone }).toFormat(format)));

  it.each(['Europe/Berlin', 'America/Santiago', 'Africa/Casablanca'])('the clocks of %s are set as ever', (zone) => {
    const noons = ticks(`0 12 * * * | ${zone}`, '2751-01-01T00:00:00Z', 365);
    expect([...local(noons, zone, 'HH:mm')]).toEqual(['12:00']);
  });

  it('a thousand leap days are found without asking for more offsets than some centuries have', () => {
    const offset = jest.spyOn(IANAZone.prototype, 'offset');
    const days = ticks('0 0 29 2 * | Atlantic/Azores', '2026-01-01T00:00:00Z', 1_000);
    expect(offset.mock.calls.length).toBeLessThan(60_000);
    expect([...local(days.slice(-1), 'Atlantic/Azores', 'yyyy-MM-dd HH:mm')]).toEqual(['6148-02-29 00:00']);
  });
});
