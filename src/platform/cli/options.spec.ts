import { UsageError } from './errors.js';
import { milliseconds, nameOf, oneOf, orNone, orNull, wholeNumber } from './options.js';

describe('wholeNumber', () => {
  it('reads a number within the limits', () => {
    expect([wholeNumber('--limit', '50'), wholeNumber('--port', '0', { min: 0, max: 65_535 })]).toEqual([50, 0]);
    expect(wholeNumber('--priority', '-5', { min: -10, max: 10 })).toBe(-5);
  });

  it.each(['0', '-1', '1.5', '1e3', 'x', '', ' '])('refuses %p', (value) => {
    expect(() => wholeNumber('--limit', value)).toThrow(UsageError);
  });

  it('says what would do', () => {
    expect(() => wholeNumber('--port', '70000', { min: 0, max: 65_535 })).toThrow(
      '--port takes a whole number, 0 to 65535, not "70000"',
    );
  });
});

describe('nameOf', () => {
  it('takes the spaces around it away, and says how long it may be', () => {
    expect(nameOf('--name', ' Family ')).toBe('Family');
    for (const name of [' ', 'x'.repeat(201)]) {
      expect(() => nameOf('--name', name)).toThrow('--name takes 1 to 200 characters');
    }
  });

  it('counts an emoji as one character, as the API does', () => {
    expect(nameOf('--name', '🏔'.repeat(200))).toHaveLength(400);
    expect(() => nameOf('--name', '🏔'.repeat(201))).toThrow('not 201');
  });
});

describe('milliseconds', () => {
  it('reads a number with its unit, in any letter case, and nothing else', () => {
    expect(['500ms', '90s', '15M', '2h', '1d', '0s'].map(milliseconds)).toEqual([
      ...[500, 90_000, 900_000, 7_200_000, 86_400_000, 0],
    ]);
    const others = ['', '90', 's', '-1s', '1.5h', '1w', '1h30m', '9999999999s', '1constructor'];
    expect(others.map(milliseconds)).toEqual(others.map(() => undefined));
  });
});

describe('orNone', () => {
  it('leaves what is not the word to the parser of the value', () => {
    expect(['none', 'NONE', '7'].map((value) => orNull(orNone(value, Number)))).toEqual([null, null, 7]);
  });
});

describe('oneOf', () => {
  it('takes any letter case and lists the choices', () => {
    expect(oneOf('--role', 'Viewer', ['viewer', 'admin'])).toBe('viewer');
    expect(() => oneOf('--role', 'god', ['viewer', 'admin'])).toThrow('--role takes one of viewer, admin, not "god"');
  });
});
