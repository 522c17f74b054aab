import { type DueImage, outcomeOf, verdictOn } from './decide-reading.js';

const [content, another] = [Buffer.from('content'), Buffer.from('another')];
const anImage = (over: Partial<DueImage> = {}): DueImage => ({
  id: 'image',
  state: 'active',
  checksum: content,
  ...over,
});

describe('a reading', () => {
  it.each([
    ['of a new file', anImage({ state: 'pending', checksum: null }), 'first'],
    ['of a file that could not be read before', anImage({ checksum: null }), 'first'],
    ['of a file that was touched', anImage(), 'same'],
    ['of a missing file that is back', anImage({ state: 'missing' }), 'same'],
    ['of a file that changed before it was settled', anImage({ state: 'pending', checksum: another }), 'first'],
    ['of a file with other content', anImage({ checksum: another }), 'other'],
  ] as const)('%s is %3$s', (_what, image, verdict) => {
    expect(verdictOn(image, content)).toBe(verdict);
  });
});

describe('its outcome', () => {
  it('for a new file is a new image, unless a known one may have moved there', () => {
    const image = anImage({ state: 'pending', checksum: null });
    expect(outcomeOf(image, 'first', false)).toEqual({ state: 'active', change: 'new' });
    expect(outcomeOf(image, 'first', true)).toEqual({ state: 'pending', change: null });
  });

  it('for a missing file that is back is an image restored', () => {
    expect(outcomeOf(anImage({ state: 'missing' }), 'same', false)).toEqual({ state: 'active', change: 'restored' });
  });

  it('for a file that was only touched is no change', () => {
    expect(outcomeOf(anImage(), 'same', true)).toEqual({ state: 'active', change: null });
  });
});
