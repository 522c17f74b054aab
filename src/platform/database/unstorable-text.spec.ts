import { invalid } from '../errors/app-error.js';
import { refusedText, unstorableTexts } from './unstorable-text.js';

const seen = (value: unknown, root?: string): unknown =>
  unstorableTexts(value, root).map((field) => [field.path, field.value]);

describe('text that PostgreSQL cannot hold', () => {
  it.each<[string, unknown, unknown]>([
    ['a NUL', { a: 'x\0' }, [['a', String.raw`x\u0000`]]],
    [
      'half a surrogate pair',
      { a: ['', '\ud800', '\udfffx'] },
      [
        ['a.1', String.raw`\ud800`],
        ['a.2', String.raw`\udfffx`],
      ],
    ],
    ['halves in the wrong order', ['\ude00\ud83d'], [['0', String.raw`\ude00\ud83d`]]],
    ['a key', { filter: { 'a\0b': 1 } }, [[String.raw`filter.a\u0000b`, String.raw`a\u0000b`]]],
  ])('is found: %s', (_what, value, fields) => {
    expect(seen(value)).toEqual(fields);
  });

  it('is found in a text by itself, and told with its place', () => {
    expect(unstorableTexts('ab\0', 'id')).toEqual([
      {
        path: 'id',
        message: 'holds U+0000 at character 3, which cannot be stored',
        value: String.raw`ab\u0000`,
        allowed: 'text without U+0000 and without unpaired surrogates',
      },
    ]);
  });

  it('is nothing that only looks like it', () => {
    expect(seen({ a: ['😀', String.raw`\u0000 \ud800`, '\u0001', 5, null, true, undefined] })).toEqual([]);
    expect(seen(undefined)).toEqual([]);
  });

  it('is found however deep and however often, and shown in few words', () => {
    const deep = Array.from({ length: 500_000 }).reduce<unknown>((inner) => [inner], '\0');
    const [only] = unstorableTexts(deep);
    expect(only?.path).toHaveLength(201);
    const long = unstorableTexts(Array.from({ length: 1_000 }, () => '\0'.repeat(1_000_000)));
    expect([long.length, String(long[0]?.value).length]).toEqual([20, 6_000]);
  });
});

describe('what the database refused as text', () => {
  it.each(['22021', '22P05'])('is an input that is not acceptable: %s', (code) => {
    expect(refusedText(Object.assign(new Error('no'), { driverError: { code } }))).toMatchObject({
      kind: 'invalid',
      code: 'validation_failed',
    });
  });

  it('is left alone when it has been explained already, or is something else', () => {
    const cause = Object.assign(new Error('no'), { code: '22021' });
    expect(refusedText(invalid('invalid_task_input', 'explained', { cause }))).toBeUndefined();
    expect(refusedText(Object.assign(new Error('no'), { code: '23505' }))).toBeUndefined();
  });
});
