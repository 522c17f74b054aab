import { invalid, unavailable } from '../errors/app-error.js';
import { CliError, InterruptedError, UsageError } from './errors.js';
import { failureOf } from './report-failure.js';

describe('failureOf', () => {
  it('ends with 2 for a wrong command line', () => {
    expect(failureOf(new UsageError('--limit takes a number', 'See --help.'))).toEqual({
      text: 'photosafe: --limit takes a number\nSee --help.\n',
      exitCode: 2,
    });
  });

  it('leaves commander’s errors, which it has printed, alone', () => {
    const unknown = Object.assign(new Error('unknown option'), { code: 'commander.unknownOption', exitCode: 1 });
    const help = Object.assign(new Error('(outputHelp)'), { code: 'commander.helpDisplayed', exitCode: 0 });
    expect([failureOf(unknown), failureOf(help)]).toEqual([
      { text: '', exitCode: 2 },
      { text: '', exitCode: 0 },
    ]);
  });

  it('ends with 1 for what went wrong, names the fields and says what to do', () => {
    const fields = [{ path: 'roots.0', message: 'does not exist', allowed: 'a folder' }];
    expect(failureOf(invalid('bad_root', 'That cannot be imported.', { fields }))).toEqual({
      text: 'photosafe: That cannot be imported.\n  roots.0: does not exist; allowed: a folder\n',
      exitCode: 1,
    });
    expect(failureOf(unavailable('database_unavailable', 'No database.')).text).toContain('run the same command again');
  });

  it('does not take a database that goes away for a bug', () => {
    const { text, exitCode } = failureOf(new Error('Connection terminated unexpectedly'));
    expect([text.split('\n')[0], exitCode]).toEqual([
      'photosafe: The database does not answer at the moment. Try again shortly.',
      1,
    ]);
  });

  it('cuts what is too long to read', () => {
    expect(failureOf(new UsageError(`no "${'x'.repeat(100_000)}"`, 'See --help.')).text).toMatch(
      /^photosafe: no "x{900,1000} …\nSee --help\.\n$/,
    );
  });

  it('says once what a message of several lines says already', () => {
    const error = invalid('bad_settings', 'These cannot be used:\n  PORT is "x"', {
      fields: [{ path: 'PORT', message: 'is "x"' }],
    });
    expect(failureOf(error).text.match(/PORT/g)).toHaveLength(1);
  });

  it('shows the stack of a bug', () => {
    const { text, exitCode } = failureOf(new TypeError('x is undefined'));
    expect({
      bug: text.startsWith('photosafe: this is a bug: TypeError: x is undefined\n'),
      stack: text.includes('report-failure.spec'),
      exitCode,
    }).toEqual({ bug: true, stack: true, exitCode: 1 });
  });

  it('ends with the exit code of whatever asked for one', () => {
    expect(failureOf(new InterruptedError('Run it again to go on.'))).toEqual({
      text: 'photosafe: interrupted\nRun it again to go on.\n',
      exitCode: 130,
    });
    expect(failureOf(new CliError('no', { exitCode: 7 })).exitCode).toBe(7);
  });
});
