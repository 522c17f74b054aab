import type { ClaimedRow } from '../worker/attempt.js';
import { type ClaimParts, QueueClaims } from './queue-claims.js';

const LIMITS = { revision: '1', queues: new Map(), types: new Map() };
const rowsOf = (...ids: string[]) => ids.map((id, rank) => ({ id, rank }) as ClaimedRow);

/** Claims from a queue without limits, whose statements give these one after the other. */
function claimsOf(...answers: (ClaimedRow[] | Error)[]): QueueClaims {
  const query = (): Promise<unknown[]> => {
    const answer = answers.shift() ?? [];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const view = { news: 0, current: LIMITS, fresh: () => Promise.resolve(LIMITS) };
  const parts = { view, pool: { prepared: { query } } } as unknown as ClaimParts;
  return new QueueClaims(parts, { queue: 'default', workerId: '', types: [{ name: 'a', version: 1 }] });
}

describe('QueueClaims', () => {
  it('looks again soon when the database did not say whether there is more, and not once it has', async () => {
    const claims = claimsOf(rowsOf('1', '2'), rowsOf('3'), new Error('gone'), rowsOf('4'));
    await claims.claim(2);
    expect(claims.retryInMs).toBeUndefined();
    expect(await claims.claim(2)).toEqual(rowsOf('3'));
    expect(Math.round((claims.retryInMs ?? 0) / 250)).toBe(2);
    expect(await claims.claim(2)).toEqual(rowsOf('4'));
    expect(claims.retryInMs).toBeUndefined();
  });
});
