import { durationText, RateMeter } from './rate-meter.js';

describe('RateMeter', () => {
  it('knows no rate before the second look', () => {
    const meter = new RateMeter();
    meter.note(10, 0);
    expect([meter.perSecond(), meter.remainingMs(100)]).toEqual([undefined, undefined]);
  });

  it('gives the rate and how long the rest takes', () => {
    const meter = new RateMeter();
    meter.note(0, 1_000);
    meter.note(50, 6_000);
    expect([meter.perSecond(), meter.remainingMs(100)]).toEqual([10, 5_000]);
  });

  it('forgets how it was long ago', () => {
    const meter = new RateMeter();
    for (let second = 0; second <= 60; second += 1) meter.note(second < 30 ? 0 : (second - 30) * 5, second * 1_000);
    expect(meter.perSecond()).toBeCloseTo(5, 5);
  });

  it('has no end in sight when nothing moves', () => {
    const meter = new RateMeter();
    meter.note(5, 0);
    meter.note(5, 10_000);
    expect(meter.remainingMs(10)).toBeUndefined();
  });
});

describe('durationText', () => {
  it.each([
    [0, '0s'],
    [59_400, '59s'],
    [75_000, '1m15s'],
    [3_600_000, '1h00m'],
    [90_061_000, '25h01m'],
  ])('writes %i ms as %s', (durationMs, text) => {
    expect(durationText(durationMs)).toBe(text);
  });
});
