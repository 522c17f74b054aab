import fc from 'fast-check';
import { decodePosition, encodePosition, isOlder, type Position } from './position.js';

const snapshots = fc
  .record({
    first: fc.bigInt({ min: 1n, max: 2n ** 60n }),
    length: fc.bigInt({ min: 0n, max: 2n ** 40n }),
    open: fc.uniqueArray(fc.bigInt({ min: 0n, max: 2n ** 40n - 1n }), { maxLength: 20 }),
  })
  .map(({ first, length, open }) => {
    const inside = open.filter((number) => number < length).sort((a, b) => (a < b ? -1 : 1));
    return `${first}:${first + length}:${inside.map((number) => first + number).join(',')}`;
  });

const positions: fc.Arbitrary<Position> = fc
  .record({
    takenAt: fc.integer({ min: 0, max: 2 ** 33 }),
    seen: snapshots,
    until: snapshots,
    id: fc.bigInt({ min: 0n, max: 2n ** 62n }),
    count: fc.integer({ min: 0, max: 1_000_000 }),
    isWithin: fc.boolean(),
  })
  .map(({ takenAt, seen, until, id, count, isWithin }) => ({
    takenAt,
    seen,
    ...(isWithin && { within: { until, id: id.toString(), count } }),
  }));

describe('a position as text', () => {
  it('comes back as it was, and is fit for a header line', () => {
    fc.assert(
      fc.property(positions, (position) => {
        const text = encodePosition(position);
        expect(text).toMatch(/^[0-9a-z~.-]+$/);
        expect(decodePosition(text)).toEqual(position);
      }),
    );
  });

  it('is short while few transactions are open', () => {
    const within = { until: '1200345:1200350:1200347', id: '98765432', count: 17 };
    expect(encodePosition({ takenAt: 1_795_000_000, seen: '1200340:1200345:', within })).toBe(
      'top2v4~pq6s-5~pq6x-5-2~1msvw8.h',
    );
  });

  it.each([
    '',
    '42',

    't~0-5', // transactions begin at 3
    't~5-2-3', // open, but not begun
    't~5-9-1-0', // twice the same
    't~5-9~5-9',
    't~5-9~5-9~1',
    't~5-9~5-9~zzzzzzzzzzzzz.1',
    't~5-9~5-9~1.1~',
    "t~5-9~5-9~1.1' OR true",
    't~zzzzzzzzzzzzz-zzzzzzzzzzzzz',
    'T~5-9',
  ])('is refused when nobody made it: %s', (text) => {
    expect(decodePosition(text)).toBeUndefined();
  });

  it('is refused when it is longer than any could be', () => {
    expect(decodePosition(`t~5-zzz${'-1'.repeat(5_000)}`)).toBeUndefined();
  });

  it('is refused or read, whatever the text, and never throws', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-z~.-]{0,60}$/), (text) => {
        const position = decodePosition(text);
        if (position) expect(decodePosition(encodePosition(position))).toEqual(position);
      }),
    );
  });
});

describe('a snapshot is older than another', () => {
  it.each([
    ['100:105:', '100:106:', true],
    ['100:106:', '100:105:', false],
    ['101:105:101,103', '103:105:103', true],
    ['103:105:103', '105:105:', true],
    ['105:105:', '103:105:103', false],
    ['103:105:103', '103:105:103', false],
    ['99:105:', '100:1000:', true],
  ])('%s than %s: %p', (one, other, expected) => {
    expect(isOlder(one, other)).toBe(expected);
  });
});
