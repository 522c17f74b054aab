import { parseTime } from './task-filter-options.js';

describe('parseTime', () => {
  it('reads a day, or a day and a time', () => {
    expect([parseTime('--run-at', '2028-02-29'), parseTime('--run-at', '2026-01-31T23:30:00-05:00')]).toEqual([
      new Date('2028-02-29T00:00:00Z'),
      new Date('2026-02-01T04:30:00Z'),
    ]);
  });

  it.each(['soon', '', '2026', '2027-02-29', '2026-04-31T08:00:00Z', '2026-13-01', '2026-01-31T25:00'])(
    'refuses %p',
    (value) => {
      expect(() => parseTime('--until', value)).toThrow('--until takes a date or a date and time');
    },
  );
});
