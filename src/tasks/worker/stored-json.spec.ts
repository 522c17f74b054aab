import { toStoredJson } from './stored-json.js';

describe('JSON for the database', () => {
  it.each([
    ['ordinary values', { a: [1, 'ü', null, true, '😀'] }, '{"a":[1,"ü",null,true,"😀"]}'],
    ['NUL, which is left out', { 'a\0': '\0b\0' }, '{"a":"b"}'],
    ['half surrogate pairs, which become U+FFFD', ['\ud800', 'x\udfff', '😀'], '["\\ufffd","x\\ufffd","😀"]'],
    ['other control characters', '\u0001\n', '"\\u0001\\n"'],
    ['text that looks like an escape', String.raw`\u0000 \ud800 \\u0000`, String.raw`"\\u0000 \\ud800 \\\\u0000"`],
    ['a backslash before a real NUL', '\\\0', '"\\\\"'],
    ['nothing', null, 'null'],
  ])('keeps %s', (_what, value, text) => {
    expect(toStoredJson(value)).toBe(text);
    expect(() => JSON.parse(toStoredJson(value) ?? '') as unknown).not.toThrow();
  });

  it.each([[undefined], [() => 1], [Symbol('s')]])('knows nothing of %p', (value) => {
    expect(toStoredJson(value)).toBeUndefined();
  });

  it('throws what JSON throws', () => {
    expect(() => toStoredJson({ n: 1n })).toThrow(TypeError);
  });
});
