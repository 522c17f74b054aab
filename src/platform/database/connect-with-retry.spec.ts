import { Logger } from '@nestjs/common';
import { conflict, unavailable } from '../errors/app-error.js';
import { connectWithRetry, explain } from './connect-with-retry.js';

const coded = (code: string, message = 'what the server says'): Error => Object.assign(new Error(message), { code });

/** A database that fails with these, one after the other, and then is there. */
function failing(...errors: Error[]): { connect: () => Promise<string>; calls: () => number } {
  let calls = 0;
  const connect = (): Promise<string> => {
    const error = errors[calls];
    calls += 1;
    return error ? Promise.reject(error) : Promise.resolve('there');
  };
  return { connect, calls: () => calls };
}

describe('connecting to a database that may not be there', () => {
  beforeEach(() => {
    Logger.overrideLogger(false);
  });

  it.each([
    ['a refused connection', coded('ECONNREFUSED')],
    ['a socket that is not there', coded('ENOENT')],
    ['several refused addresses', new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')])],
    ['a starting server', coded('57P03')],
    ['a broken connection', new Error('Connection terminated unexpectedly')],
    ['a missing database', coded('3D000')],
    ['a wrong password', coded('28P01')],
    ['an embedded server that did not start', unavailable('x', 'x')],
  ])('tries again after %s', async (_name, error) => {
    expect(await connectWithRetry('db', { firstPauseMs: 0 }, failing(error, error).connect)).toBe('there');
  });

  it.each([
    ['a schema that is too new', conflict('schema_too_new', 'update')],
    ['an error in our SQL', coded('42601')],
    ['a bug', new TypeError('undefined is not a function')],
  ])('gives up at once for %s', async (_name, error) => {
    const database = failing(error);
    await expect(connectWithRetry('db', { firstPauseMs: 0 }, database.connect)).rejects.toBe(error);
    expect(database.calls()).toBe(1);
  });

  it.each(['28P01', '28000', '3D000'])(
    'does not let the user of a command wait for what is set up wrongly (%s)',
    async (code) => {
      const database = failing(coded(code));
      await expect(connectWithRetry('db', { firstPauseMs: 0, waitMs: 60_000 }, database.connect)).rejects.toMatchObject(
        {
          code: 'database_unavailable',
        },
      );
      expect(database.calls()).toBe(1);
    },
  );

  it('tells after its time what was wrong, without the password', async () => {
    const connect = (): Promise<never> => Promise.reject(coded('ECONNREFUSED', 'connect ECONNREFUSED 1.2.3.4:5432'));
    await expect(connectWithRetry('postgres://me@h/db', { firstPauseMs: 1, waitMs: 5 }, connect)).rejects.toMatchObject(
      {
        kind: 'unavailable',
        message: 'The database (postgres://me@h/db) cannot be used: connect ECONNREFUSED 1.2.3.4:5432',
      },
    );
  });

  it('explains what somebody has to mend', () => {
    expect(
      [coded('28P01'), coded('3D000'), new AggregateError([coded('E', 'one'), coded('E', 'two')])].map(explain),
    ).toEqual([
      'the password or the user is wrong (what the server says)',
      'there is no such database; create it (what the server says)',
      'one; two',
    ]);
  });
});
