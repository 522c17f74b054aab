import { Logger } from '@nestjs/common';
import { withLogFields } from './log-context.js';
import { createPino, PinoLogger } from './pino-logger.js';

describe('the log', () => {
  let lines: Record<string, unknown>[];
  let logger: PinoLogger;

  beforeEach(() => {
    lines = [];
    const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
    logger = new PinoLogger(createPino('info', { write }));
  });

  it('is one JSON object a line, with a constant message and fields', () => {
    logger.log({ message: 'task finished', durationMs: 5 }, 'Worker');
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        app: 'photosafe',
        pid: process.pid,
        context: 'Worker',
        durationMs: 5,
        msg: 'task finished',
      },
    ]);
  });

  it('carries the fields of its surroundings, however deep and asynchronous', async () => {
    await withLogFields({ requestId: 'r', jobId: 'outer' }, async () => {
      await Promise.resolve();
      await withLogFields({ jobId: 'inner', attempt: 2 }, async () => {
        await Promise.resolve();
        logger.warn('deep');
      });
      logger.warn({ message: 'own fields win', requestId: 'mine' });
    });
    logger.warn('outside');
    expect(lines.map(({ msg, requestId, jobId, attempt }) => ({ msg, requestId, jobId, attempt }))).toEqual([
      { msg: 'deep', requestId: 'r', jobId: 'inner', attempt: 2 },
      { msg: 'own fields win', requestId: 'mine', jobId: 'outer', attempt: undefined },
      { msg: 'outside', requestId: undefined, jobId: undefined, attempt: undefined },
    ]);
  });

  it('shows errors with their stack and cause, in whichever way they come', () => {
    const error = new Error('broken', { cause: new Error('deeper') });
    logger.error({ message: 'it failed', error });
    logger.error({ message: 'it failed', err: error });
    logger.error(error);
    logger.error('it failed', error.stack, 'Context');
    const seen = lines.map(({ msg, err, stack }) => [
      msg,
      (err as { message?: string } | undefined)?.message,
      typeof stack,
    ]);
    expect(seen).toEqual([
      ['it failed', 'broken: deeper', 'undefined'],
      ['it failed', 'broken: deeper', 'undefined'],
      ['broken', 'broken: deeper', 'undefined'],
      ['it failed', undefined, 'string'],
    ]);
  });

  it('leaves out what is below its level, and hides credentials', () => {
    logger.debug('no');
    logger.log({ message: 'yes', req: { headers: { authorization: 'Bearer x' } }, database: { password: 'y' } });
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toMatch(/Bearer|"y"/);
  });

  it('has the fields of an error line that comes through Nest, and no others', () => {
    Logger.overrideLogger(logger);
    new Logger('Name').error({ message: 'it failed', jobId: 'j' });
    new Logger('Name').error('it failed', 'the stack');
    new Logger('Name').fatal({ message: 'it ends' });
    Logger.overrideLogger(false);
    const surroundings = { time: expect.any(String) as unknown, app: 'photosafe', pid: process.pid, context: 'Name' };
    expect(lines).toEqual([
      { ...surroundings, level: 'error', msg: 'it failed', jobId: 'j' },
      { ...surroundings, level: 'error', msg: 'it failed', stack: 'the stack' },
      { ...surroundings, level: 'fatal', msg: 'it ends' },
    ]);
  });

  it('is what a Nest logger writes to', () => {
    Logger.overrideLogger(logger);
    new Logger('Name').warn({ message: 'from a class', size: 1 });
    Logger.overrideLogger(false);
    expect(lines).toEqual([expect.objectContaining({ level: 'warn', context: 'Name', msg: 'from a class', size: 1 })]);
  });
});
