/**
 * The independent checker: judges a run that is over by its rows alone (tasks, audit trail, effects). It shares no code with the
 * engine; what is legal is written down here once more.
 */

const ENDS = new Set(['completed', 'failed', 'cancelled']);
/** From (null: it did not exist) → to. Nobody runs a finished task again in these runs. */
const LEGAL = new Map([
  [null, ['created']],
  ['created', ['queued', 'failed', 'cancelled']],
  ['queued', ['running', 'failed', 'cancelled']],
  ['running', ['queued', 'completed', 'failed', 'cancelled']],
]);

/** All that the checks and the recoveries are made from. `query(sql)` gives rows. */
export async function readRows(query) {
  return {
    live: await query(`SELECT id, type, status, waiting FROM live_tasks`),
    finished: await query(
      `SELECT id, type, status, params, fence, parent_id, parent_round, workflow_id, error_code FROM finished_tasks`,
    ),
    history: await query(
      `SELECT task_id, id::float8 AS id, extract(epoch FROM at) * 1000 AS at, from_status, to_status, fence, worker_id, reason
       FROM task_history ORDER BY task_id, task_history.id`,
    ),
    effects: await query(`SELECT task_id, fence FROM chaos_effects`),
    fanOuts: await query(`SELECT parent_id, round, total, open, completed FROM task_fan_outs`),
    workflows: await query(`SELECT id, open FROM workflows`),
    edges: await query(`SELECT parent_id, child_id FROM workflow_edges`),
  };
}

/** What is wrong: `{ what, task }`, grouped by the promise that is broken. */
export function violations(rows, acknowledged) {
  const trails = trailsOf(rows.history);
  const finished = new Map(rows.finished.map((task) => [task.id, task]));
  return {
    lost: lost(rows, { acknowledged, finished }),
    settledTwice: settledOtherThanOnce(finished, trails),
    effects: wrongEffects(rows, { finished, trails }),
    trail: brokenTrails(trails),
    outcome: wrongOutcomes(finished),
    order: wrongOrder(rows, { finished, trails }),
  };
}

export function trailsOf(history) {
  const trails = new Map();
  for (const event of history) {
    const trail = trails.get(event.task_id);
    if (trail) trail.push(event);
    else trails.set(event.task_id, [event]);
  }
  return trails;
}

function lost({ live, workflows }, { acknowledged, finished }) {
  const unfinished = live.map(({ id, status }) => ({ what: `is still ${status}`, task: id }));
  const kept = new Set([...finished.keys(), ...live.map(({ id }) => id)]);
  const gone = acknowledged.tasks.filter((id) => !kept.has(id)).map((task) => ({ what: 'is gone', task }));
  const known = new Map(workflows.map((workflow) => [workflow.id, workflow]));
  const open = acknowledged.workflows
    .filter((id) => known.get(id)?.open !== 0)
    .map((task) => ({ what: known.has(task) ? 'workflow has not ended' : 'workflow is gone', task }));
  return [...unfinished, ...gone, ...open];
}

function settledOtherThanOnce(finished, trails) {
  const wrong = [];
  for (const [task, { status }] of finished) {
    const ends = (trails.get(task) ?? []).filter((event) => ENDS.has(event.to_status));
    if (ends.length !== 1) wrong.push({ what: `has ${ends.length} ends in its trail`, task });
    else if (ends[0].to_status !== status) wrong.push({ what: `is ${status}, its trail says otherwise`, task });
  }
  return wrong;
}

/** Each that completed and was to have an effect has one, of the attempt that completed it; the others have none. */
function wrongEffects({ effects }, { finished, trails }) {
  const wrong = [];
  const byTask = Map.groupBy ? Map.groupBy(effects, (effect) => effect.task_id) : grouped(effects);
  for (const [task, { status, params }] of finished) {
    const own = byTask.get(task) ?? [];
    const due = status === 'completed' && params.effect === true ? 1 : 0;
    if (own.length !== due) wrong.push({ what: `${status}, with ${own.length} effects instead of ${due}`, task });
    const end = (trails.get(task) ?? []).find((event) => ENDS.has(event.to_status));
    if (own.some(({ fence }) => fence !== end?.fence)) wrong.push({ what: 'another attempt took effect', task });
  }
  for (const task of byTask.keys()) if (!finished.has(task)) wrong.push({ what: 'has an effect and no end', task });
  return wrong;
}

function grouped(effects) {
  const groups = new Map();
  for (const effect of effects) groups.set(effect.task_id, [...(groups.get(effect.task_id) ?? []), effect]);
  return groups;
}

function brokenTrails(trails) {
  const wrong = [];
  for (const [task, trail] of trails) {
    let status = null;
    let fence = 0;
    for (const event of trail) {
      const from = event.from_status ?? null;
      // The first row may say that it was created and queued at once.
      const begins = status === null && (from === null || from === 'created');
      if (!begins && from !== status) wrong.push({ what: `a move from ${from}, but it was ${status}`, task });
      if (!LEGAL.get(from)?.includes(event.to_status)) wrong.push({ what: `${from} > ${event.to_status}`, task });
      if (event.to_status === 'running') {
        if (event.fence <= fence) wrong.push({ what: `fence ${event.fence} after ${fence}`, task });
        fence = event.fence;
      } else if (event.fence !== fence) wrong.push({ what: `fence ${event.fence} settles what ${fence} holds`, task });
      status = event.to_status;
    }
  }
  return wrong;
}

/** Faults are nobody's fault: what was to complete has completed, however often it was interrupted. */
function wrongOutcomes(finished) {
  return [...finished.values()]
    .filter(({ status, params }) => params.expect !== undefined && params.expect !== status)
    .map(({ id, status, error_code: code }) => ({ what: `${status} (${code}), not as expected`, task: id }));
}

/** Fan-outs add up, and nothing in a workflow began before all that it runs after had completed. */
function wrongOrder({ fanOuts, edges }, { finished, trails }) {
  const wrong = [];
  const children = new Map();
  for (const { parent_id: parent, parent_round: round, status } of finished.values()) {
    if (parent === null) continue;
    const [all = 0, completed = 0] = children.get(`${parent} ${round}`) ?? [];
    children.set(`${parent} ${round}`, [all + 1, completed + (status === 'completed' ? 1 : 0)]);
  }
  for (const { parent_id: task, round, total, open, completed } of fanOuts) {
    const [all = 0, done = 0] = children.get(`${task} ${round}`) ?? [];
    if (open !== 0 || all !== total || done !== completed) wrong.push({ what: 'fan-out does not add up', task });
  }
  const endOf = (task) => trails.get(task)?.find((event) => event.to_status === 'completed');
  for (const { parent_id: parent, child_id: child } of edges) {
    const began = trails.get(child)?.find((event) => event.to_status === 'running');
    const ended = endOf(parent);
    if (began && (!ended || ended.id > began.id)) wrong.push({ what: 'began before what it runs after', task: child });
  }
  return wrong;
}

/**
 * How long, in ms, the work that a fault interrupted stood still: for each task that one of its workers had in hand at that
 * moment, until somebody began it anew or its attempt ended. Parents that wait for their children are in nobody's hand.
 *
 * @param {{ kind: string, at: number, workers?: string[] }[]} faults  without `workers`: all of them
 * @returns {Record<string, number[]>} by kind of fault
 */
export function recoveries({ history, fanOuts }, faults) {
  const parents = new Set(fanOuts.map(({ parent_id: parent }) => parent));
  const trails = [...trailsOf(history)].filter(([task]) => !parents.has(task)).map(([, trail]) => trail);
  const byKind = {};
  for (const { kind, at, workers } of faults) {
    const gaps = (byKind[kind] ??= []);
    for (const trail of trails) {
      if (trail[0].at > at || trail.at(-1).at < at) continue;
      const next = trail.findIndex((event) => event.at > at);
      const held = trail[next - 1];
      if (held?.to_status !== 'running' || (workers && !workers.includes(held.worker_id))) continue;
      const goesOn = trail
        .slice(next)
        .find(({ to_status: to, reason }) => to === 'running' || ENDS.has(to) || reason === 'backoff');
      if (goesOn) gaps.push(goesOn.at - at);
    }
  }
  return byKind;
}
