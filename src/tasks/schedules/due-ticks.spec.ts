import { dueTicks } from './due-ticks.js';
import type { CatchUp } from './schedule.js';
import { Timetable } from './timetable.js';

const DAILY = Timetable.of('0 3 * * *', 'UTC');
const MINUTELY = Timetable.of('* * * * *', 'UTC');
const at = (text: string): Date => new Date(`2027-01-${text}Z`);
const days = (...numbers: string[]): Date[] => numbers.map((day) => at(`${day}T03:00:00`));
const due = (timetable: Timetable, [first, now]: readonly [string, string], catchUp: CatchUp) =>
  dueTicks(timetable, { first: at(first), now: at(now), catchUp });

describe('due ticks', () => {
  const policies: CatchUp[] = [
    { policy: 'skip', max: 1 },
    { policy: 'latest', max: 1 },
    { policy: 'all', max: 2 },
  ];

  it.each(policies)('that are on time are due under $policy, all of them', (catchUp) => {
    expect(due(DAILY, ['01T03:00:00', '01T03:00:00'], catchUp)).toEqual({
      due: days('01'),
      missed: undefined,
      next: at('02T03:00:00'),
    });
    expect(due(DAILY, ['01T03:00:00', '01T03:01:00'], catchUp).due).toEqual(days('01'));
    expect(due(MINUTELY, ['01T03:00:00', '01T03:01:00'], catchUp)).toMatchObject({
      due: [at('01T03:00:00'), at('01T03:01:00')],
      missed: undefined,
    });
  });

  it.each([
    [policies[0], [], { from: '01', to: '04' }],
    [policies[1], ['04'], { from: '01', to: '03' }],
    [policies[2], ['03', '04'], { from: '01', to: '02' }],
    [{ policy: 'all', max: 4 } as const, ['01', '02', '03', '04'], undefined],
  ])('that nobody was there for go by the policy: %j', (catchUp = { policy: 'skip', max: 1 }, expected, missed) => {
    expect(due(DAILY, ['01T03:00:00', '04T03:01:01'], catchUp)).toEqual({
      due: days(...expected),
      missed: missed && { from: at(`${missed.from}T03:00:00`), to: at(`${missed.to}T03:00:00`) },
      next: at('05T03:00:00'),
    });
  });

  it('are none where the rules have changed since the next one was worked out', () => {
    expect(due(DAILY, ['01T02:00:00', '01T02:00:10'], { policy: 'all', max: 5 })).toEqual({
      due: [],
      missed: undefined,
      next: at('01T03:00:00'),
    });
  });
});
