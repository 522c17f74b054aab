// Shows the checker of bench/chaos one broken run after the other; prints, for each, which promises it finds broken.
import { recoveries, violations } from '../../../bench/chaos/check.mjs';

const move = (id, from, to, fence, reason = to) => ({
  ...{ task_id: 'a', id, at: id * 1_000, from_status: from, to_status: to, fence, worker_id: `w${fence}`, reason },
});
const TRAIL = [
  move(1, 'created', 'queued', 0, 'enqueued'),
  move(2, 'queued', 'running', 1, 'claimed'),
  move(3, 'running', 'queued', 1, 'worker_lost'),
  move(4, 'queued', 'running', 2, 'claimed'),
  move(5, 'running', 'completed', 2),
];
const TASK = {
  ...{ id: 'a', type: 't', status: 'completed', params: { effect: true, expect: 'completed' }, fence: 2 },
  ...{ parent_id: null, parent_round: null, workflow_id: null, error_code: null },
};
const good = () => ({
  live: [],
  finished: [structuredClone(TASK)],
  history: structuredClone(TRAIL),
  effects: [{ task_id: 'a', fence: 2 }],
  fanOuts: [],
  workflows: [],
  edges: [],
});

const PLANTED = {
  nothing: () => undefined,
  'a task that is gone': (rows) => Object.assign(rows, { finished: [], history: [], effects: [] }),
  'a task that goes on for ever': (rows) => rows.live.push({ id: 'b', status: 'running' }),
  'two ends': (rows) => rows.history.push(move(6, 'completed', 'completed', 2)),
  'an end that its trail lacks': (rows) => rows.history.pop(),
  'two effects': (rows) => rows.effects.push({ task_id: 'a', fence: 2 }),
  'no effect': (rows) => rows.effects.pop(),
  'an effect of the attempt that was lost': (rows) => (rows.effects[0].fence = 1),
  'a fence given out twice': (rows) => (rows.history[3].fence = 1),
  'a settlement under an old fence': (rows) => (rows.history[4].fence = 1),
  'a move that is missing': (rows) => rows.history.splice(3, 1),
  'an innocent in quarantine': (rows) => {
    Object.assign(rows.finished[0], { status: 'failed', error_code: 'poison_pill' });
    rows.history[4].to_status = 'failed';
    rows.effects.pop();
  },
  'a fan-out that does not add up': (rows) =>
    rows.fanOuts.push({ parent_id: 'a', round: 1, total: 2, open: 0, completed: 1 }),
  'a node that did not wait': (rows) => rows.edges.push({ parent_id: 'b', child_id: 'a' }),
};

const found = {};
for (const [what, plant] of Object.entries(PLANTED)) {
  const rows = good();
  plant(rows);
  const wrong = violations(rows, { tasks: ['a'], workflows: [] });
  found[what] = Object.keys(wrong).filter((promise) => wrong[promise].length > 0);
}
const gaps = recoveries(good(), [
  { kind: 'kill', at: 2_500, workers: ['w1'] },
  { kind: 'other', at: 2_500, workers: ['w9'] },
]);
process.stdout.write(`${JSON.stringify({ found, gaps })}\n`);
