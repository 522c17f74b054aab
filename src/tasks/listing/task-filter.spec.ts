import { v7 } from 'uuid';
import { firstIdAt } from './task-filter.js';

describe('a time as a bound of ids', () => {
  it('stands before every id of that millisecond and after those of the one before', () => {
    const time = new Date('2026-01-02T03:04:05.678Z');
    const bound = firstIdAt(time);
    expect(v7({ msecs: time.getTime() }) >= bound).toBe(true);
    expect(v7({ msecs: time.getTime() - 1 }) < bound).toBe(true);
  });

  it.each([
    ['before 1970', new Date(-1), '00000000-0000-7000-8000-000000000000'],
    ['farther than ids go', new Date(8.64e15), 'ffffffff-ffff-7000-8000-000000000000'],
  ])('stays an id for a time %s', (_what, time, id) => {
    expect(firstIdAt(time)).toBe(id);
  });
});
