import { formatWall, isClockStart, isPlausible, parseDateText, parseOffset, withSubSeconds } from './date-text.js';

function read(text: string): string | undefined {
  const date = parseDateText(text);
  if (date === undefined) return undefined;
  const offset = date.offsetMinutes === undefined ? '' : ` ${date.offsetMinutes} min`;
  return `${formatWall(date)}${date.hasTime ? '' : ' (day)'}${offset}`;
}

describe('dates as texts', () => {
  it.each([
    ['2020:04:17 10:03:42', '2020-04-17T10:03:42', 'EXIF'],
    ['2020-04-17T10:03:42', '2020-04-17T10:03:42', 'ISO 8601'],
    ['2020:04:17 10:03', '2020-04-17T10:03:00', 'clocks that count minutes'],
    ['2017:09:03 11:23:57.830', '2017-09-03T11:23:57.830', 'fractions within the date'],
    ['2018:06:26 17:46:33.84', '2018-06-26T17:46:33.840', 'fractions of any length'],
    ['2013:07:05 03:18:27Z', '2013-07-05T03:18:27 0 min', 'a trailing Z'],
    ['2010:07:11 13:53:00+02:00', '2010-07-11T13:53:00 120 min', 'an offset within the date'],
    ['2007-04-19T11:03:15-0600', '2007-04-19T11:03:15 -360 min', 'an offset without colon'],
    ['2008:05:25 19:31:26.0+1:00', '2008-05-25T19:31:26 60 min', 'an offset of one digit'],
    ['2003:8:9 7:05:01', '2003-08-09T07:05:01', 'missing zeros'],
    ['2004/08/27 13.52.55', '2004-08-27T13:52:55', 'other separators'],
    ['2003-08-30', '2003-08-30T00:00:00 (day)', 'only a day'],
    ['2016:12:31 23:59:60', '2016-12-31T23:59:59', 'a leap second'],
    ['1919:05:04 05:59:26', '1919-05-04T05:59:26', 'scans of old pictures'],
    ['2020:02:29 00:00:00', '2020-02-29T00:00:00', 'a leap day'],
  ])('reads %s as %s: %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it.each([
    ['0000:00:00 00:00:00'],
    ['    :  :     :  :  '],
    [':  :     :  :'],
    [''],
    ['2021:02:29 10:00:00'],
    ['2020:13:01 10:00:00'],
    ['2020:04:17 25:00:00'],
    ['2020:04:17 10:61:00'],
    ['2007'],
    ['yesterday'],
  ])('finds no date in "%s"', (text) => {
    expect(read(text)).toBeUndefined();
  });

  it('takes sub-seconds as digits after the point, and zeros for none', () => {
    const date = parseDateText('2020:04:17 10:03:42');
    const formatted = (digits: string): string | undefined => date && formatWall(withSubSeconds(date, digits));
    expect([' 144', '84 ', '935476', '7', '00', '   ', ''].map(formatted)).toEqual([
      '2020-04-17T10:03:42.144',
      '2020-04-17T10:03:42.840',
      '2020-04-17T10:03:42.935',
      '2020-04-17T10:03:42.700',
      '2020-04-17T10:03:42',
      '2020-04-17T10:03:42',
      '2020-04-17T10:03:42',
    ]);
  });

  it('reads offsets that exist and no others', () => {
    const texts = ['+02:00', '-06:00', '+05:45', '+14:00', 'Z', '+15:00', '+02:75', '   :  ', 'Local', undefined];
    expect(texts.map(parseOffset)).toEqual([120, -360, 345, 840, 0, ...Array<undefined>(5).fill(undefined)]);
  });

  it('believes dates from the first photograph to a day from now', () => {
    const now = Date.UTC(2026, 10, 23, 12);
    const plausible = (text: string): boolean => {
      const date = parseDateText(text);
      return date !== undefined && isPlausible(date, now);
    };
    expect([
      plausible('1825-12-31 23:59:59'),
      plausible('1826-01-01 00:00:00'),
      plausible('2026-11-24 11:59:59'),
      plausible('2026-11-24 12:00:01'),
      plausible('2099-08-12 19:59:29'),
    ]).toEqual([false, true, true, false, false]);
  });

  it('knows where the clocks of devices begin', () => {
    const starts = ['1970:01:01 00:00:00', '1980:01:01 00:00:00', '1970:01:01 00:00:01'].map(parseDateText);
    expect(starts.map((date) => date && isClockStart(date))).toEqual([true, true, false]);
  });
});
