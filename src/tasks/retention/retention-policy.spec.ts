import { sweepsOf, type SweepTerms } from './retention-policy.js';

const now = new Date('2026-03-31T12:00:00Z');
const terms: SweepTerms = {
  types: ['b', 'a', 'b'],
  defaults: { completed: 30, failed: 90, cancelled: 'forever' },
  policies: new Map(),
  atLeastHours: 48,
  now,
};

describe('what retention removes', () => {
  it('follows the defaults, type by type in one order, and leaves out what is kept for ever', () => {
    expect(sweepsOf(terms)).toEqual([
      { type: 'a', outcome: 'completed', before: new Date('2026-03-01T12:00:00Z') },
      { type: 'a', outcome: 'failed', before: new Date('2025-12-31T12:00:00Z') },
      { type: 'b', outcome: 'completed', before: new Date('2026-03-01T12:00:00Z') },
      { type: 'b', outcome: 'failed', before: new Date('2025-12-31T12:00:00Z') },
    ]);
  });

  it('lets a type differ in one outcome and follow the default in the others', () => {
    const policies = new Map([['a', { completed: 'forever', cancelled: 10 } as const]]);
    expect(sweepsOf({ ...terms, types: ['a'], policies })).toEqual([
      { type: 'a', outcome: 'cancelled', before: new Date('2026-03-21T12:00:00Z') },
      { type: 'a', outcome: 'failed', before: new Date('2025-12-31T12:00:00Z') },
    ]);
  });

  it('never takes a task that an idempotency key may still lead to', () => {
    const policies = new Map([['a', { completed: 1, failed: 'forever' } as const]]);
    expect(sweepsOf({ ...terms, types: ['a'], policies })).toEqual([
      { type: 'a', outcome: 'completed', before: new Date('2026-03-29T12:00:00Z') },
    ]);
  });
});
