import { taskOf, type TaskRow } from './task.js';

const now = new Date('2026-01-01T12:00:00Z');
const aMinuteAgo = new Date(now.getTime() - 60_000);

function aRow(row: Partial<TaskRow>): TaskRow {
  return {
    ...{ id: 'a', type: 't', version: 1, name: 'n', description: null, domain: null, drift_score: 0, params: {} },
    ...{ queue: 'default', status: 'running', waiting: false, priority: 0, done: '0', total: null, result: null },
    ...{ result_ref: null, error_code: null, error_category: null, error_message: null, attempt: 1, max_attempts: 3 },
    ...{
      crash_count: 0,
      run_at: now,
      start_by: null,
      timeout_ms: 1,
      dedup_key: null,
      parent_id: null,
      workflow_id: null,
    },
    ...{ requested_by: 'x', cancel_requested_at: null, task_metadata: {}, created_at: now, queued_at: now },
    ...{ started_at: aMinuteAgo, completed_at: null, updated_at: now },
    ...row,
  };
}

const shown = (row: Partial<TaskRow>) => {
  const { progress, processed, total, eta } = taskOf(aRow(row), now);
  return { progress, processed, total, eta: eta && (eta.getTime() - now.getTime()) / 1_000 };
};

describe('how far a task has come', () => {
  it.each<[string, Partial<TaskRow>, ReturnType<typeof shown>]>([
    ['unknown', {}, { progress: 0, processed: 0, total: null, eta: null }],
    ['begun', { done: '0', total: '8' }, { progress: 0, processed: 0, total: 8, eta: null }],
    ['a quarter', { done: '2', total: '8' }, { progress: 25, processed: 2, total: 8, eta: 180 }],
    ['almost there', { done: '999', total: '1000' }, { progress: 99, processed: 999, total: 1_000, eta: 0.06 }],
    ['there', { done: '8', total: '8' }, { progress: 100, processed: 8, total: 8, eta: 0 }],
    ['farther than expected', { done: '9', total: '8' }, { progress: 100, processed: 9, total: 8, eta: 0 }],
    ['nothing to do', { done: '0', total: '0' }, { progress: 0, processed: 0, total: 0, eta: null }],
    ['completed', { status: 'completed', done: '0' }, { progress: 100, processed: 0, total: null, eta: null }],
    [
      'failed half-way',
      { status: 'failed', done: '1', total: '2' },
      { progress: 50, processed: 1, total: 2, eta: null },
    ],
    ['never to be there', { done: '1', total: '1000000000000' }, { progress: 0, processed: 1, total: 1e12, eta: null }],
    [
      'started by a clock that is ahead',
      { started_at: new Date(now.getTime() + 5_000), done: '1', total: '2' },
      { progress: 50, processed: 1, total: 2, eta: 0 },
    ],
  ])('%s', (_what, row, expected) => {
    expect(shown(row)).toEqual(expected);
  });
});
