import { withComment, withTextReplaced } from './jpeg-bytes.js';

const startOfImage = [0xff, 0xd8];
const jfif = [0xff, 0xe0, 0x00, 0x04, 0x4a, 0x46];
const exif = [0xff, 0xe1, 0x00, 0x05, 0x45, 0x78, 0x69];
const quantisation = [0xff, 0xdb, 0x00, 0x03, 0x00];

describe('withComment', () => {
  it('puts the comment after the application segments and before the rest', () => {
    const jpeg = Buffer.from([...startOfImage, ...jfif, ...exif, ...quantisation]);

    const comment = [0xff, 0xfe, 0x00, 0x04, 0x48, 0x69];
    expect([...withComment(jpeg, 'Hi')]).toEqual([...startOfImage, ...jfif, ...exif, ...comment, ...quantisation]);
  });

  it('leaves the file that it was given as it is', () => {
    const jpeg = Buffer.from([...startOfImage, ...quantisation]);
    const before = Buffer.from(jpeg);

    withComment(jpeg, 'Hi');

    expect(jpeg).toEqual(before);
  });
});

describe('withTextReplaced', () => {
  it('replaces every occurrence, in a copy of the same length', () => {
    const bytes = Buffer.from('a 2020 b 2020 c');

    expect(withTextReplaced(bytes, '2020', '1999').toString()).toBe('a 1999 b 1999 c');
    expect(bytes.toString()).toBe('a 2020 b 2020 c');
  });

  it('refuses a text of another length, which would move what other parts of the file point to', () => {
    expect(() => withTextReplaced(Buffer.from('2020'), '2020', '12020')).toThrow(RangeError);
  });
});
