import { decodeCursor, encodeCursor } from './cursor.js';

describe('a cursor', () => {
  const anything = (): boolean => true;

  it('gives back the key it was made of', () => {
    expect(decodeCursor(encodeCursor(['2026-01-31T10:00:00Z', 'é']), 2, anything)).toEqual([
      '2026-01-31T10:00:00Z',
      'é',
    ]);
  });

  it.each([
    ['is not one at all', 'rubbish'],
    ['holds something else', Buffer.from('{"a":1}').toString('base64url')],
    ['is of a list with another order', encodeCursor(['one', 'two'])],
    ['has parts that are not text', Buffer.from('[1]').toString('base64url')],
  ])('is refused when it %s', (_why, cursor) => {
    expect(() => decodeCursor(cursor, 1, anything)).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'validation_failed' }),
    );
  });

  it('is refused when its list does not take its key', () => {
    expect(() => decodeCursor(encodeCursor(['abc']), 1, ([id]) => id === 'xyz')).toThrow('cursor');
  });
});
