import { Attempt, AttemptStopped } from './attempt.js';
import { whileHeld } from './while-held.js';

const anAttempt = (): Attempt =>
  new Attempt({
    ...{ id: 'a', type: 't', version: 1, params: {}, attempt: 1, max_attempts: 1, fence: 1, crash_count: 0 },
    ...{
      timeout_ms: 1_000,
      joining: false,
      parent_id: null,
      workflow_id: null,
      checkpoint: null,
      requested_by: 'test',
    },
    ...{ priority: 0, rank: 0, processed: '0', total: null, waited_seconds: null, trace_parent: null },
  });

const withState = (code: string): Error => Object.assign(new Error('x'), { code });

describe('what the engine does for an attempt', () => {
  it('is done again while the database is away', async () => {
    const failures = [new Error('Connection terminated unexpectedly'), withState('57P01')];
    const work = jest.fn(() => (failures.length > 0 ? Promise.reject(failures.shift()!) : Promise.resolve('done')));
    expect(await whileHeld(anAttempt(), work)).toBe('done');
    expect(work).toHaveBeenCalledTimes(3);
  });

  it.each([
    ['the database says no', withState('23505')],
    ['a statement takes too long', withState('57014')],
    ['it is something else', new Error('a bug')],
  ])('is not done again when %s', async (_what, error) => {
    const work = jest.fn(() => Promise.reject(error));
    await expect(whileHeld(anAttempt(), work)).rejects.toBe(error);
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('is given up with the lease', async () => {
    const attempt = anAttempt();
    attempt.stop('lease-lost');
    await expect(whileHeld(attempt, () => Promise.reject(withState('08006')))).rejects.toMatchObject({ code: '08006' });
    expect(attempt.signal.reason).toBeInstanceOf(AttemptStopped);
  });
});
