import { retrySerializationFailures } from './retry-transaction.js';

const lost = (code: string): Error => Object.assign(new Error('lost'), { code });

describe('a transaction that lost against another one', () => {
  it.each([
    ['40001', lost('40001')],
    ['40P01', lost('40P01')],
    ['a wrapped 40001', Object.assign(new Error('query failed'), { driverError: lost('40001') })],
    ['a 40001 as cause', new Error('outer', { cause: lost('40001') })],
  ])('runs again (%s)', async (_name, error) => {
    let runs = 0;
    const work = (): Promise<string> => (++runs < 3 ? Promise.reject(error) : Promise.resolve('done'));
    expect(await retrySerializationFailures(work, { attempts: 3, firstPauseMs: 0 })).toBe('done');
  });

  it('fails with its error when it keeps losing', async () => {
    let runs = 0;
    const work = (): Promise<never> => {
      runs += 1;
      return Promise.reject(lost('40001'));
    };
    await expect(retrySerializationFailures(work, { attempts: 3, firstPauseMs: 0 })).rejects.toThrow('lost');
    expect(runs).toBe(3);
  });

  it.each(['23505', '57014', 'ECONNRESET'])('does not run again for %s', async (code) => {
    let runs = 0;
    const work = (): Promise<never> => {
      runs += 1;
      return Promise.reject(lost(code));
    };
    await expect(retrySerializationFailures(work, { attempts: 3, firstPauseMs: 0 })).rejects.toThrow('lost');
    expect(runs).toBe(1);
  });
});
