import { conflict, unavailable } from '../platform/errors/app-error.js';
import { classify, exponential, PermanentError, retryAfterMs, TransientError } from './retry-policy.js';

const withCode = (code: string): Error => Object.assign(new Error('it failed'), { code });

describe('exponential backoff with full jitter', () => {
  const backoff = exponential({ firstMs: 100, maxMs: 1_000 });

  it('doubles the ceiling with each attempt up to the maximum', () => {
    expect([1, 2, 3, 4, 5, 60].map((attempt) => backoff(attempt, () => 1))).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  it('waits anything from nothing to the ceiling', () => {
    expect([0, 0.5, 1].map((random) => backoff(2, () => random))).toEqual([0, 100, 200]);
  });
});

describe('what an error means for a task', () => {
  it.each([
    [withCode('ECONNRESET'), 'transient', 'econnreset'],
    [withCode('ENOSPC'), 'transient', 'enospc'],
    [withCode('ENOENT'), 'permanent', 'enoent'],
    [withCode('40001'), 'transient', 'sqlstate_40001'],
    [withCode('57P01'), 'transient', 'sqlstate_57P01'],
    [withCode('23505'), 'permanent', 'sqlstate_23505'],
    [Object.assign(new Error('x'), { status: 503 }), 'transient', 'http_503'],
    [Object.assign(new Error('x'), { status: 404 }), 'permanent', 'http_404'],
    [unavailable('storage_full', 'no room'), 'transient', 'storage_full'],
    [conflict('busy', 'no'), 'permanent', 'busy'],
    [new TransientError('later', 'again'), 'transient', 'later'],
    [new PermanentError('never', 'no'), 'permanent', 'never'],
    [new Error('who knows'), 'transient', 'unexpected_error'],
    [new Error('fetch failed', { cause: withCode('ECONNREFUSED') }), 'transient', 'econnrefused'],
  ])('%s is %s: %s', (error, category, code) => {
    expect(classify(error)).toMatchObject({ category, code });
  });

  it('takes Retry-After in seconds and as a date, up to a day', () => {
    const now = Date.UTC(2026, 0, 1);
    expect(retryAfterMs('30', now)).toBe(30_000);
    expect(retryAfterMs(new Date(now + 60_000).toUTCString(), now)).toBe(60_000);
    expect(retryAfterMs('99999999', now)).toBe(86_400_000);
    expect(retryAfterMs('soon', now)).toBeUndefined();
  });

  it('waits as long as the other side asks', () => {
    const error = Object.assign(new Error('slow down'), { status: 429, headers: new Headers({ 'retry-after': '7' }) });
    expect(classify(error)).toMatchObject({ category: 'transient', code: 'http_429', retryAfterMs: 7_000 });
  });

  it('keeps messages that PostgreSQL can hold', () => {
    expect(classify(new Error(`a\0b${'x'.repeat(5_000)}`)).message).toHaveLength(2_000);
    expect(classify('a string').message).toBe('a string');
  });
});
