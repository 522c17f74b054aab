import { type ListedFile, withSidecars } from './sidecars.js';

const file = (name: string, modifiedUs = 1n): ListedFile => ({ name, sizeBytes: 10, modifiedUs });

describe('sidecars', () => {
  it('named after the whole file count before those named after its stem', () => {
    const [photo] = withSidecars([file('a.jpg')], [file('a.xmp'), file('a.jpg.XMP')]);
    expect(photo?.sidecars).toEqual(['a.jpg.XMP', 'a.xmp']);
  });

  it('of a stem speak for every photo of that stem, and for no other', () => {
    const photos = withSidecars([file('a.cr2'), file('a.jpg'), file('ab.jpg'), file('a')], [file('a.xmp')]);
    expect(photos.map(({ sidecars }) => sidecars)).toEqual([['a.xmp'], ['a.xmp'], [], ['a.xmp']]);
  });

  it('that are saved again change the stamp', () => {
    const [before] = withSidecars([file('a.jpg')], [file('a.xmp', 1n)]);
    const [after] = withSidecars([file('a.jpg')], [file('a.xmp', 2n)]);
    expect(before?.sidecarStamp).not.toBe(after?.sidecarStamp);
  });

  it('of other kinds are not read', () => {
    expect(withSidecars([file('a.jpg')], [file('a.aae')])).toEqual([
      { ...file('a.jpg'), sidecars: [], sidecarStamp: '' },
    ]);
  });
});
