import { assertLimits, type Breaker } from './limits.js';

const declared = (breaker: Breaker) => (): void => {
  assertLimits({ breaker }, 'task x');
};

describe('limits that are declared', () => {
  it.each([
    { failures: 1 },
    { failures: 1, coolDownMs: 3_600_000 },
    { failures: 1, coolDownMs: 2_000, longestCoolDownMs: 2_000 },
  ])('may have the breaker %j', (breaker) => {
    expect(declared(breaker)).not.toThrow();
  });

  it.each([
    [{ failures: 0 }, 'task x: limits.breaker.failures must be a whole number from 1 to 100000, not 0'],
    [
      { failures: 1, coolDownMs: 2_000, longestCoolDownMs: 1_999 },
      'task x: limits.breaker.longestCoolDownMs must not be less than coolDownMs, 2000',
    ],
    [{ failures: 1, longestCoolDownMs: 29_999 }, 'must not be less than coolDownMs, 30000'],
  ])('may not have the breaker %j', (breaker, why) => {
    expect(declared(breaker)).toThrow(why);
  });
});
