import { expiryFrom } from './expiry.js';

describe('expiryFrom', () => {
  const now = new Date('2026-11-23T12:00:00Z');

  it.each([
    ['90m', '2026-11-23T13:30:00.000Z'],
    ['12h', '2026-11-24T00:00:00.000Z'],
    ['30d', '2026-12-23T12:00:00.000Z'],
    ['2W', '2026-12-07T12:00:00.000Z'],
    ['1y', '2027-11-23T12:00:00.000Z'],
    ['2027-01-31', '2027-01-31T23:59:59.999Z'],
    ['2027-01-31T10:00:00+02:00', '2027-01-31T08:00:00.000Z'],
  ])('reads %s', (text, expected) => {
    expect(expiryFrom(text, now)?.toISOString()).toBe(expected);
  });

  it('knows never', () => {
    expect(expiryFrom('never', now)).toBeNull();
  });

  it.each(['', '30', 'd', '1.5d', 'tomorrow', '2027-13-45', '31.1.2027', '-1d'])('cannot read %p', (text) => {
    expect(expiryFrom(text, now)).toBeUndefined();
  });
});
