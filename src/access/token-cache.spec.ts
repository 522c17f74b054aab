import { BELIEVED_FOR_MS, TokenCache } from './token-cache.js';
import { hashOf } from './secret.js';
import type { Token } from './token.js';

const aToken = (id: string): Token => ({
  id,
  name: id,
  role: 'viewer',
  prefix: 'ps_',
  createdAt: new Date(0),
  createdBy: 'system:test',
  expiresAt: null,
  lastUsedAt: null,
  revokedAt: null,
  revokedBy: null,
});

describe('TokenCache', () => {
  const cache = new TokenCache();
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('believes a token for five seconds', () => {
    cache.remember(hashOf('one'), aToken('1'));
    jest.advanceTimersByTime(BELIEVED_FOR_MS - 1);
    expect(cache.find(hashOf('one'))?.id).toBe('1');
    jest.advanceTimersByTime(1);
    expect(cache.find(hashOf('one'))).toBeUndefined();
  });

  it('forgets a token at once when told to', () => {
    cache.remember(hashOf('one'), aToken('1'));
    cache.remember(hashOf('two'), aToken('2'));
    cache.forget('1');
    expect([cache.find(hashOf('one')), cache.find(hashOf('two'))?.id]).toEqual([undefined, '2']);
  });

  it('does not grow without end', () => {
    for (let count = 0; count < 1_500; count += 1) cache.remember(hashOf(String(count)), aToken(String(count)));
    expect([cache.find(hashOf('0')), cache.find(hashOf('1499'))?.id]).toEqual([undefined, '1499']);
  });
});
