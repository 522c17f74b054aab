import { CONFIDENCE, judgeDates, type Circumstances, type DateOffer } from './capture-time.js';
import { parseDateText } from './date-text.js';

const NOWHERE: Circumstances = {
  position: undefined,
  gpsTimeMs: undefined,
  nowMs: Date.UTC(2026, 10, 23),
};
const LOS_ANGELES = { latitude: 37.7749, longitude: -122.4194 };

function anOffer(source: string, text: string, rest: Partial<DateOffer>): DateOffer {
  const time = parseDateText(text);
  if (time === undefined) throw new Error(`${text} is no date`);
  return { source, confidence: CONFIDENCE.embedded, time, ...rest };
}

describe('the capture time', () => {
  it('is the most trusted offer, the first of equals', () => {
    const { captured, candidates } = judgeDates(
      [
        anOffer('exif.DateTime', '2021:01:01 00:00:00', { confidence: CONFIDENCE.modified }),
        anOffer('exif.DateTimeOriginal', '2020:04:17 10:03:42', { confidence: CONFIDENCE.embedded }),
        anOffer('exif.DateTimeDigitized', '2020:04:18 10:03:42', { confidence: CONFIDENCE.embedded }),
        anOffer('file-name', '2019-01-01', { confidence: CONFIDENCE.fileName }),
      ],
      NOWHERE,
    );
    expect(captured).toEqual({
      source: 'exif.DateTimeOriginal',
      confidence: 95,
      local: '2020-04-17T10:03:42',
      instant: undefined,
      zone: undefined,
      zoneSource: undefined,
      subSecond: false,
    });
    expect(candidates.map(({ source }) => source)).toEqual([
      'exif.DateTimeOriginal',
      'exif.DateTimeDigitized',
      'file-name',
      'exif.DateTime',
    ]);
  });

  it('keeps the wall clock as it was, whatever the zone', () => {
    const { captured } = judgeDates(
      [anOffer('exif.DateTimeOriginal', '2020:04:17 10:03:42.144', { confidence: CONFIDENCE.embedded })],
      { ...NOWHERE, position: LOS_ANGELES },
    );
    expect(captured).toMatchObject({
      local: '2020-04-17T10:03:42.144',
      instant: '2020-04-17T17:03:42.144Z',
      zone: 'America/Los_Angeles',
      zoneSource: 'gps-position',
      subSecond: true,
    });
  });

  it('of an instant is shown on the clocks of the place', () => {
    const offer = anOffer('gps.DateTime', '2023:11:15 12:30:00', { confidence: CONFIDENCE.embedded, isUtc: true });
    expect(judgeDates([offer], { ...NOWHERE, position: LOS_ANGELES }).captured).toMatchObject({
      local: '2023-11-15T04:30:00',
      instant: '2023-11-15T12:30:00.000Z',
      zone: 'America/Los_Angeles',
    });
    expect(judgeDates([offer], NOWHERE).captured).toMatchObject({
      local: '2023-11-15T12:30:00',
      instant: '2023-11-15T12:30:00.000Z',
      zone: 'UTC',
      zoneSource: 'gps-time',
    });
  });

  it('of a file date is an instant without a zone', () => {
    const offer = anOffer('filesystem.modified', '2023-11-15 12:30:00', {
      confidence: CONFIDENCE.filesystem,
      isUtc: true,
    });
    expect(judgeDates([offer], NOWHERE).captured).toMatchObject({
      local: '2023-11-15T12:30:00',
      instant: '2023-11-15T12:30:00.000Z',
      zone: undefined,
      zoneSource: undefined,
      confidence: 30,
    });
  });

  it('has no instant where only a day is known', () => {
    const { captured } = judgeDates(
      [anOffer('iptc.DateCreated', '2003-08-30', { confidence: CONFIDENCE.embeddedDay })],
      {
        ...NOWHERE,
        position: LOS_ANGELES,
      },
    );
    expect(captured).toMatchObject({ local: '2003-08-30T00:00:00', instant: undefined, zone: 'America/Los_Angeles' });
  });

  it('is not the start of a clock that was never set, if there is anything better', () => {
    const { captured } = judgeDates(
      [
        anOffer('exif.DateTimeOriginal', '1980:01:01 00:00:00', { confidence: CONFIDENCE.embedded }),
        anOffer('file-name', '2019-01-01 10:00:00', { confidence: CONFIDENCE.fileName }),
      ],
      NOWHERE,
    );
    expect(captured).toMatchObject({ source: 'file-name' });
  });

  it('is unknown when every offer lies in the future or before photography', () => {
    const offers = ['2099:08:12 19:59:29', '1800:01:01 10:00:00'].map((text) =>
      anOffer('exif.DateTimeOriginal', text, { confidence: CONFIDENCE.embedded }),
    );
    expect(judgeDates(offers, NOWHERE)).toEqual({ captured: undefined, candidates: [] });
  });
});
