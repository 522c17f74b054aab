import { QueryFailedError } from 'typeorm';
import { databaseOutage } from './database-outage.js';

const withFields = (message: string, fields: object): Error => Object.assign(new Error(message), fields);
const failedQuery = (cause: Error): Error => new QueryFailedError('SELECT 1', [], cause);

describe('databaseOutage', () => {
  it.each([
    ['a server that shuts down', withFields('terminating connection', { code: '57P01' })],
    ['a server that starts', withFields('the database system is starting up', { code: '57P03' })],
    ['a server without a free connection', withFields('too many clients', { code: '53300' })],
    ['a database that lets nobody in', withFields('not accepting connections', { code: '55000', severity: 'FATAL' })],
    ['a refused connection', withFields('connect ECONNREFUSED', { code: 'ECONNREFUSED', syscall: 'connect' })],
    ['a missing socket', withFields('connect ENOENT', { code: 'ENOENT', syscall: 'connect' })],
    ['a broken connection', withFields('read ECONNRESET', { code: 'ECONNRESET', syscall: 'read' })],
    ['a connection that broke while it was written to', withFields('write EPIPE', { code: 'EPIPE', syscall: 'write' })],
    ['a connection that ended', new Error('Connection terminated unexpectedly')],
    ['a pool that waited too long', new Error('timeout exceeded when trying to connect')],
    ['all addresses refused', new AggregateError([withFields('connect ECONNREFUSED', { syscall: 'connect' })])],
  ])('sees %s, also inside TypeORM’s error', (_what, error) => {
    const expected = { kind: 'unavailable', code: 'database_unavailable' };
    expect(databaseOutage(error)).toMatchObject(expected);
    expect(databaseOutage(failedQuery(error))).toMatchObject(expected);
  });

  it.each([
    ['a constraint', withFields('duplicate key', { code: '23505', severity: 'ERROR' })],
    ['a mistake in SQL', failedQuery(withFields('syntax error', { code: '42601' }))],
    ['a missing file', withFields('open ENOENT', { code: 'ENOENT', syscall: 'open' })],
    ['a bug', new TypeError('x is undefined')],
    ['no error at all', undefined],
  ])('does not take %s for one', (_what, error) => {
    expect(databaseOutage(error)).toBeUndefined();
  });
});
