import { validate, version } from 'uuid';
import { newTaskIds } from './task-ids.js';

describe('ids of new tasks', () => {
  it('are UUIDs v7 that only ever grow, also across calls', () => {
    const ids = [...newTaskIds(5_000), ...newTaskIds(1), ...newTaskIds(5_000)];
    expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
  });

  it('keep growing when the clock is set back', () => {
    const [before = ''] = newTaskIds(1);
    const clock = jest.spyOn(Date, 'now').mockReturnValue(1_000_000);
    const [after = ''] = newTaskIds(1);
    clock.mockRestore();
    expect(after > before).toBe(true);
  });
});
