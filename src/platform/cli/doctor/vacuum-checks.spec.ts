import type { DeadRows, Holder } from '../../database/vacuum.sql.js';
import { judgeHolders, judgeVacuum } from './vacuum-checks.js';

const session: Holder = {
  ...{ kind: 'session', name: '4711', about: 'psql, alice, idle in transaction' },
  ...{ seconds: 7_200, transactions: 12 },
};
const table: DeadRows = { table: 'live_tasks', dead: 5_000_000, live: 100, vacuumedSecondsAgo: 3_600 };

describe('judgeHolders', () => {
  it.each<[string, Holder, RegExp]>([
    [
      'a session',
      session,
      /session 4711 \(psql, alice, idle in transaction\) for 2\.0 h: .*pg_terminate_backend\(4711\)/,
    ],
    ['a prepared transaction', { ...session, kind: 'prepared', name: "it's" }, /ROLLBACK PREPARED 'it''s'/],
    [
      'a slot',
      { ...session, kind: 'slot', name: 'old', seconds: null, transactions: 2e6 },
      /'old' for 2000000 tr.*drop/,
    ],
    ['a standby', { ...session, kind: 'standby', seconds: null, transactions: 2e6 }, /hot_standby_feedback/],
  ])('warns of %s that has held a snapshot for long, and says how to end it', (_what, holder, message) => {
    expect(judgeHolders([holder])).toMatchObject({ level: 'warn', message: expect.stringMatching(message) as string });
  });

  it.each<[string, Holder[]]>([
    ['nobody', []],
    ['a session for a short time', [{ ...session, seconds: 3_599, transactions: 5e6 }]],
    ['a slot that follows', [{ ...session, kind: 'slot', seconds: null, transactions: 999_999 }]],
  ])('is content where dead rows are held by %s', (_what, holders) => {
    expect(judgeHolders(holders).level).toBe('ok');
  });
});

describe('judgeVacuum', () => {
  it('warns where autovacuum is off', () => {
    expect(judgeVacuum(false, []).level).toBe('warn');
  });

  it('names tables with more dead rows than live ones that were not vacuumed lately, or ever', () => {
    const never = { ...table, table: 'tasks', vacuumedSecondsAgo: null };
    expect(judgeVacuum(true, [table, never])).toMatchObject({
      level: 'warn',
      message: expect.stringMatching(/live_tasks \(5000000 dead rows\), tasks \(/) as string,
    });
  });

  it.each<[string, Partial<DeadRows>]>([
    ['few dead rows', { dead: 999_999 }],
    ['more live ones', { live: 6_000_000 }],
    ['a vacuum minutes ago', { vacuumedSecondsAgo: 500 }],
  ])('is content with %s', (_what, differently) => {
    expect(judgeVacuum(true, [{ ...table, ...differently }]).level).toBe('ok');
  });
});
