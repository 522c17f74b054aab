import { dateInFileName, dateInFolders } from './file-name-date.js';
import { formatWall } from './date-text.js';

function inName(name: string): string | undefined {
  const date = dateInFileName(name);
  if (date === undefined) return undefined;
  const notes = [date.hasTime ? '' : ' (day)', date.isUtc ? ' UTC' : '', date.isOfTransfer ? ' (transfer)' : ''];
  return formatWall(date) + notes.join('');
}

describe('the date in a file name', () => {
  it.each([
    ['IMG_20200417_100342.jpg', '2020-04-17T10:03:42'],
    ['20200417_100342.jpg', '2020-04-17T10:03:42'],
    ['20200417_100342_001.jpg', '2020-04-17T10:03:42'],
    ['MVIMG_20190102_030405.jpg', '2019-01-02T03:04:05'],
    ['2020-04-17 10.03.42.jpg', '2020-04-17T10:03:42'],
    ['2020-04-17 10.03.42-1.jpg', '2020-04-17T10:03:42'],
    ['2020-04-17_10-03-42.heic', '2020-04-17T10:03:42'],
    ['signal-2020-04-17-100342.jpg', '2020-04-17T10:03:42'],
    ['Screenshot_20190521-104552_Chrome.png', '2019-05-21T10:45:52'],
    ['Screenshot 2019-05-21 at 10.45.52.png', '2019-05-21T10:45:52'],
    ['Bildschirmfoto 2019-05-21 um 10.45.52.png', '2019-05-21T10:45:52'],
    ['Screenshot 2024-01-02 at 3.45.52 PM.png', '2024-01-02T15:45:52'],
    ['Screenshot 2024-01-02 at 12.05.00\u202fAM.png', '2024-01-02T00:05:00'],
    ['StationA__2009-04-21__00-40-00(1).JPG', '2009-04-21T00:40:00'],
    ['20200417100342.jpg', '2020-04-17T10:03:42'],
    ['PXL_20230102_120000123.jpg', '2023-01-02T12:00:00.123 UTC'],
    ['IMG-20200417-WA0001.jpg', '2020-04-17T00:00:00 (day) (transfer)'],
    ['2015-02-04.jpg', '2015-02-04T00:00:00 (day)'],
    ['FB_IMG_1587117822144.jpg', '2020-04-17T10:03:42.144 UTC (transfer)'],
    ['1587117822144.jpg', '2020-04-17T10:03:42.144 UTC (transfer)'],
  ])('of %s is %s', (name, expected) => {
    expect(inName(name)).toBe(expected);
  });

  it.each([
    ['IMG_3580.JPG'],
    ['DSC_09827.jpg'],
    ['IMG_20201317_100342.jpg'],
    ['IMG_20200230_100342.jpg'],
    ['crash-1152ec2d1a1a71395b6f2ce6721c38924d025bf3.tif'],
    ['4820200417.jpg'],
    ['202004171.jpg'],
    ['12in16bit.tif'],
    ['50020484-00001.png'],
  ])('is not made out of the digits of %s', (name) => {
    expect(inName(name)).toBeUndefined();
  });
});

describe('the date in folder names', () => {
  const inFolders = (path: string): string | undefined => {
    const day = dateInFolders(path);
    return day && formatWall(day).slice(0, 10);
  };

  it('is that of the nearest folder that has one', () => {
    expect([
      inFolders('/photos/2014-01-01/2015-04-17 Trip'),
      inFolders('/photos/20150417'),
      inFolders('/photos/2015_04_17/raw'),
      inFolders('/photos/2015/04/17'),
      inFolders('/photos/2015/04 April/17 Friday'),
    ]).toEqual(['2015-04-17', '2015-04-17', '2015-04-17', '2015-04-17', '2015-04-17']);
  });

  it('is none where only a month or year is named, or far above', () => {
    expect([inFolders('/photos/2015'), inFolders('/photos/2015/04'), inFolders('/2015-04-17/a/b/c')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
