import { conflict, unavailable } from '../platform/errors/app-error.js';
import {
  classify,
  exponential,
  fixed,
  PermanentError,
  retryAfterMs,
  retryDelayMs,
  TransientError,
} from './retry-policy.js';

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
    [withCode('P0001'), 'permanent', 'sqlstate_P0001'],
    [withCode('55P03'), 'transient', 'sqlstate_55P03'],
    [withCode('25P03'), 'transient', 'sqlstate_25P03'],
    [withCode('EPERM'), 'permanent', 'eperm'],
    [withCode('EROFS'), 'transient', 'unexpected_error'],
    [Object.assign(new Error('x'), { statusCode: 408 }), 'transient', 'http_408'],
    [Object.assign(new Error('x'), { status: 200 }), 'transient', 'unexpected_error'],
    [Object.assign(new Error('x'), { driverError: withCode('53300') }), 'transient', 'sqlstate_53300'],
    [new PermanentError('a b\0c', 'no'), 'permanent', 'a_b_c'],
    [new PermanentError('', 'no'), 'permanent', 'unexpected_error'],
    [{ message: 'an object', code: 'ENOENT' }, 'permanent', 'enoent'],
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

  it.each([
    ['nothing', undefined, 'undefined'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['an object without a prototype', Object.create(null), 'the handler threw something that cannot be shown'],
    ['an object with a message', { message: 'said' }, 'said'],
    ['an error without a message', new TypeError(), 'TypeError'],
    ['an error whose message is not text', Object.assign(new Error(), { message: 7 }), 'Error: 7'],
  ])('has words for %s', (_what, thrown, message) => {
    expect(classify(thrown)).toMatchObject({ category: 'transient', code: 'unexpected_error', message });
  });

  it.each([[NaN], [Infinity], [-1]])('takes no wait of %p', (retryAfterMs) => {
    expect(classify(new TransientError('busy', 'busy', { retryAfterMs })).retryAfterMs ?? 0).toBe(0);
  });

  it('keeps messages that PostgreSQL can hold', () => {
    expect(classify(new Error(`a\0b${'x'.repeat(5_000)}`)).message).toHaveLength(2_000);
    expect(classify('a string').message).toBe('a string');
  });
});

describe('the wait before the next attempt', () => {
  it.each([
    { name: 'is what the policy says', backoff: fixed(500), expected: 500 },
    { name: 'is not less than asked for', backoff: fixed(500), retryAfterMs: 900, expected: 900 },
    { name: 'is not less than the policy says', backoff: fixed(500), retryAfterMs: 100, expected: 500 },
    { name: 'is a second without a policy', backoff: undefined, expected: 1_000 },
    { name: 'is a second when the policy gives no number', backoff: fixed(NaN), expected: 1_000 },
    { name: 'is a year at most', backoff: fixed(1e300), expected: 365 * 86_400_000 },
  ])('$name', ({ backoff, retryAfterMs, expected }) => {
    const failure = { category: 'transient', code: 'x', message: 'x', retryAfterMs } as const;
    expect(retryDelayMs(backoff, 1, failure)).toBe(expected);
  });
});
