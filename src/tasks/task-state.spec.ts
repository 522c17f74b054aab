import { FINISHED_STATUSES, isFinished, statusesMeantBy, TASK_STATUSES, TRANSITIONS } from './task-state.js';

describe('the states of a task', () => {
  it('can all be reached from the beginning, and every finished one only from an unfinished one', () => {
    const reached = new Set<string>(['created']);
    for (const { from, to } of TASK_STATUSES.flatMap(() => TRANSITIONS))
      if (from !== null && reached.has(from)) reached.add(to);
    expect([...reached].sort()).toEqual([...TASK_STATUSES].sort());
    for (const { from, to } of TRANSITIONS) if (isFinished(to)) expect(from === null || isFinished(from)).toBe(false);
  });

  it('are left when finished only by a person: for the queue, or to wait for dependencies again', () => {
    const ways = TRANSITIONS.filter(({ from }) => from !== null && isFinished(from));
    expect(ways).toEqual([
      { from: 'failed', to: 'queued', reasons: ['run', 'retry'] },
      { from: 'cancelled', to: 'queued', reasons: ['run', 'retry'] },
      { from: 'failed', to: 'created', reasons: ['run', 'retry', 'retry_above'] },
      { from: 'cancelled', to: 'created', reasons: ['run', 'retry', 'retry_above'] },
      { from: 'completed', to: 'created', reasons: ['retry_above'] },
    ]);
  });

  it('have one line for each move', () => {
    const moves = TRANSITIONS.map(({ from, to }) => `${String(from)} → ${to}`);
    expect(new Set(moves).size).toBe(moves.length);
  });

  it.each([
    ['queued', ['queued']],
    ['QUEUED', ['queued']],
    ['pending', ['created', 'queued']],
    ['Succeeded', ['completed']],
    ['all', [...TASK_STATUSES]],
    ['done', undefined],
    ['', undefined],
    ['constructor', undefined],
    ['__proto__', undefined],
  ])('are meant by the word "%s"', (word, statuses) => {
    expect(statusesMeantBy(word)).toEqual(statuses);
  });

  it('are finished in three ways', () => {
    expect(TASK_STATUSES.filter(isFinished)).toEqual([...FINISHED_STATUSES]);
  });
});
