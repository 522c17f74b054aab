import { CronExpression } from './cron-expression.js';

const next = (cron: string, from: string): string | undefined => {
  const wall = CronExpression.parse(cron).next(Date.parse(`${from}Z`));
  return wall === undefined ? undefined : new Date(wall).toISOString().slice(0, 19);
};

describe('a cron expression', () => {
  // 1 January 2027 is a Friday.
  it.each([
    ['* * * * *', '2027-01-01T00:00:01', '2027-01-01T00:01:00'],
    ['*/7 * * * *', '2027-01-01T00:56:01', '2027-01-01T01:00:00'],
    ['5/20 * * * *', '2027-01-01T00:06:00', '2027-01-01T00:25:00'],
    ['10-20/5,59 8 * * *', '2027-01-01T08:20:30', '2027-01-01T08:59:00'],
    ['30 9 * * mon-fri', '2027-01-01T10:00:00', '2027-01-04T09:30:00'],
    ['0 0 * * 7', '2027-01-01T00:00:00', '2027-01-03T00:00:00'],
    ['0 0 * * 5-7', '2027-01-02T00:00:01', '2027-01-03T00:00:00'],
    ['0 0 31 * *', '2027-02-01T00:00:00', '2027-03-31T00:00:00'],
    ['0 0 1 JAN,Jul ?', '2027-01-02T00:00:00', '2027-07-01T00:00:00'],
    // Both kinds of day leave some out: either is enough.
    ['0 0 13 * fri', '2027-01-02T00:00:00', '2027-01-08T00:00:00'],
    ['0 0 13 * fri', '2027-01-09T00:00:00', '2027-01-13T00:00:00'],
    ['0 0 1-31 * fri', '2027-01-02T00:00:00', '2027-01-08T00:00:00'],
    ['15,45 * * * * *', '2027-01-01T00:00:16', '2027-01-01T00:00:45'],
    ['59 59 23 31 12 *', '2027-01-01T00:00:00', '2027-12-31T23:59:59'],
    ['@hourly', '2027-01-01T00:00:01', '2027-01-01T01:00:00'],
    ['@daily', '2027-01-01T00:00:01', '2027-01-02T00:00:00'],
    ['@Midnight', '2027-01-01T00:00:01', '2027-01-02T00:00:00'],
    ['@weekly', '2027-01-01T00:00:00', '2027-01-03T00:00:00'],
    ['@monthly', '2027-01-02T00:00:00', '2027-02-01T00:00:00'],
    [' @yearly ', '2027-01-02T00:00:00', '2028-01-01T00:00:00'],
    ['0\t0  1 1 *', '2027-01-02T00:00:00', '2028-01-01T00:00:00'],
  ])('%s after %s matches %s', (cron, from, expected) => {
    expect(next(cron, from)).toBe(expected);
  });

  it.each([
    ['0 0 31 2 *', 'no year has such a day'],
    ['0 0 30 2 *', 'no year has such a day'],
    ['0 0 31 4,6,9,11 *', 'no year has such a day'],
    ['', '0 fields'],
    ['* * * *', '4 fields'],
    ['* * * * * * *', '7 fields'],
    ['60 * * * *', 'minute "60"'],
    ['* 24 * * *', 'hour "24"'],
    ['* * 0 * *', 'day of month "0"'],
    ['* * * 13 *', 'month "13"'],
    ['* * * * 8', 'day of week "8"'],
    ['60 * * * * *', 'second "60"'],
    ['* * * * monday', 'day of week "monday"'],
    ['* * * foo *', 'month "foo"'],
    ['*/0 * * * *', 'step of 0'],
    ['*/99999999999999999999 * * * *', 'step of'],
    ['30-10 * * * *', 'runs backwards'],
    ['1,,2 * * * *', 'not understood'],
    ['1, * * * *', 'not understood'],
    ['-1 * * * *', 'not understood'],
    ['1.5 * * * *', 'not understood'],
    ['1/2/3 * * * *', 'not understood'],
    ['1-2-3 * * * *', 'not understood'],
    ['*-5 * * * *', 'not understood'],
    ['** * * * *', 'not understood'],
    ['+5 * * * *', 'not understood'],
    ['0x1 * * * *', 'minute "0x1"'],
    ['1e1 * * * *', 'minute "1e1"'],
    ['٣ * * * *', 'not understood'],
    ['@reboot', '"@reboot" is not one'],
    ['@every 5m', '"@every 5m" is not one'],
    ['@constructor', 'is not one'],
    ['constructor', '1 fields'],
    [`${'1,'.repeat(100)}1 * * * *`, 'longer than 200'],
  ])('%s is refused: %s', (cron, why) => {
    const refusal = {
      kind: 'invalid',
      code: 'invalid_cron_expression',
      message: expect.stringContaining(why) as string,
    };
    expect(() => CronExpression.parse(cron)).toThrow(
      expect.objectContaining({
        ...refusal,
        fields: [expect.objectContaining({ path: 'cron', value: cron })],
      }) as Error,
    );
  });
});
