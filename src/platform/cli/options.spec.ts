import { UsageError } from './errors.js';
import { nameOf, oneOf, wholeNumber } from './options.js';

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

describe('oneOf', () => {
  it('takes any letter case and lists the choices', () => {
    expect(oneOf('--role', 'Viewer', ['viewer', 'admin'])).toBe('viewer');
    expect(() => oneOf('--role', 'god', ['viewer', 'admin'])).toThrow('--role takes one of viewer, admin, not "god"');
  });
});
