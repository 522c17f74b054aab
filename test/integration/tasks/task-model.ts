import type { TaskStatus } from '../../../src/tasks/index.js';
import type { TransitionReason } from '../../../src/tasks/task-state.js';
import { DEATHS_ALONE, LOSSES_ALONE } from '../../../src/tasks/isolation/verdict.js';

interface Round {
  open: number;
  completed: number;
  failed: number;
  cancelled: number;
}

/** A task as the plain model has it. */
export interface ModelTask {
  readonly id: string;
  readonly parent: ModelTask | undefined;
  /** Which fan-out of its parent it belongs to, from 1. */
  readonly round: number;
  readonly dedupKey: string | undefined;
  readonly maxAttempts: number;
  readonly rounds: Round[];
  /** What the audit trail must say, move by move: `from>to reason`. */
  readonly trail: string[];
  /** When it last began to wait: what waits longest goes first. */
  rank: number;
  status: TaskStatus;
  ready: boolean;
  waiting: boolean;
  attempt: number;
  fence: number;
  crashes: number;
  deaths: number;
  holder: string | undefined;
  cancelRequested: boolean;
}

export type Ended = 'completed' | 'failed' | 'cancelled';
/** How a worker ends: with a word, without one, or before the eyes of the process that started it. */
export type Loss = 'ended' | 'lost' | 'witnessed';

/** What the engine promises about statuses, attempts and counters, without a database: lists and assignments. */
export class TaskModel {
  readonly tasks: ModelTask[] = [];
  /** Goes up with every step. */
  now = 0;
  /** The fences under which workers held tasks when they were lost. */
  private readonly losses = new Map<string, { task: ModelTask; fence: number }[]>();

  add(task: Pick<ModelTask, 'id' | 'maxAttempts'> & Partial<ModelTask>): ModelTask {
    const added: ModelTask = {
      parent: undefined,
      round: 0,
      dedupKey: undefined,
      rounds: [],
      trail: [],
      rank: this.now,
      status: 'queued',
      ready: true,
      waiting: false,
      attempt: 0,
      fence: 0,
      crashes: 0,
      deaths: 0,
      holder: undefined,
      cancelRequested: false,
      ...task,
    };
    added.trail.push(added.status === 'queued' ? 'created>queued enqueued' : '>created created');
    this.tasks.push(added);
    return added;
  }

  holderOf(dedupKey: string): ModelTask | undefined {
    return this.tasks.find((task) => task.dedupKey === dedupKey && live(task));
  }

  /** In the order in which they began to wait, and of ids where that was at once. */
  claim(worker: string, limit: number): ModelTask[] {
    const claimed = this.tasks.filter((task) => task.status === 'queued' && task.ready);
    claimed.sort((a, b) => a.rank - b.rank || byId(a, b));
    return claimed.slice(0, limit).map((task) => take(task, worker));
  }

  claimSuspect(worker: string): ModelTask[] {
    const suspects = this.tasks.filter((task) => task.status === 'queued' && !task.ready && task.crashes > 0);
    suspects.sort((a, b) => a.crashes - b.crashes || byId(a, b));
    return suspects.slice(0, 1).map((task) => take(task, worker));
  }

  run(task: ModelTask): void {
    move(task, 'queued', 'run');
    task.ready = true;
  }

  end(task: ModelTask, status: Ended, reason: TransitionReason = status): void {
    move(task, status, reason);
    Object.assign(task, { ready: false, waiting: false, holder: undefined, cancelRequested: false });
    const round = task.parent?.rounds[task.round - 1];
    if (!task.parent || !round) return;
    round.open -= 1;
    round[status] += 1;
    if (round.open === 0 && task.parent.waiting && task.round === task.parent.rounds.length) {
      move(task.parent, 'queued', 'children_ended');
      Object.assign(task.parent, { ready: true, waiting: false });
      task.parent.attempt = Math.max(0, task.parent.attempt - 1);
    }
  }

  giveBack(task: ModelTask, reason: 'backoff' | 'released', due: boolean): void {
    if (task.cancelRequested) {
      this.end(task, 'cancelled');
      return;
    }
    move(task, 'queued', reason);
    if (reason === 'released') task.attempt -= 1;
    else Object.assign(task, { crashes: 0, deaths: 0 });
    Object.assign(task, { ready: due && task.crashes === 0, holder: undefined });
  }

  split(task: ModelTask, children: readonly string[]): void {
    task.rounds.push({ open: children.length, completed: 0, failed: 0, cancelled: 0 });
    Object.assign(task, { waiting: true, holder: undefined, crashes: 0, deaths: 0 });
    for (const id of children) this.add({ id, parent: task, round: task.rounds.length, maxAttempts: 2 });
    if (task.cancelRequested) this.cancel(task);
  }

  promote(): void {
    for (const task of this.tasks) if (task.status === 'queued' && task.crashes === 0) task.ready = true;
  }

  cancel(task: ModelTask): void {
    if (!live(task)) return;
    const family = this.familyOf(task);
    const unheld = family.filter((one) => one.holder === undefined);
    for (const one of family) if (one.holder !== undefined) one.cancelRequested = true;
    // All at once: none of them can be woken by another one's end.
    for (const one of unheld) one.waiting = false;
    for (const one of unheld) this.end(one, 'cancelled', one === task ? 'cancelled' : 'parent_cancelled');
  }

  /** A worker is no more, and others take care of what it held. */
  lose(worker: string, loss: Loss): void {
    const held = this.tasks.filter((task) => task.holder === worker).sort(byId);
    if (loss !== 'ended')
      this.losses.set(
        worker,
        held.map((task) => ({ task, fence: task.fence })),
      );
    const guilty = held.filter((task) => isGuilty(task, loss));
    for (const task of held) {
      task.crashes += loss === 'ended' ? 0 : 1;
      task.deaths += loss === 'witnessed' ? 1 : 0;
      if (guilty.includes(task)) continue;
      move(task, 'queued', 'worker_lost');
      Object.assign(task, { ready: task.crashes === 0, holder: undefined });
      task.attempt -= 1;
    }
    for (const task of guilty) this.end(task, 'failed', 'quarantined');
    for (const task of held) if (task.cancelRequested && task.status === 'queued') this.cancel(task);
  }

  heldAtLoss(worker: string): { id: string; fence: number }[] {
    return (this.losses.get(worker) ?? []).map(({ task: { id }, fence }) => ({ id, fence }));
  }

  /** A lost worker's process turns out to be alive. */
  clear(worker: string): void {
    for (const { task, fence } of this.losses.get(worker) ?? []) {
      if (task.status !== 'queued' || task.ready || task.crashes === 0 || task.fence !== fence) continue;
      task.crashes -= 1;
      task.ready = task.crashes === 0;
    }
    this.losses.delete(worker);
  }

  /** Whether a finished task may be run again: its parent must wait for it. */
  mayRerun(task: ModelTask): boolean {
    if (task.status !== 'failed' && task.status !== 'cancelled') return false;
    if (task.parent && !task.parent.waiting) return false;
    return task.dedupKey === undefined || this.holderOf(task.dedupKey) === undefined;
  }

  rerun(task: ModelTask): void {
    this.reopenAbove(task);
    revive(task, { waiting: false, now: this.now });
  }

  /** The finished batches of its last fan-out that did not complete. */
  unsuccessful(task: ModelTask): ModelTask[] {
    return this.tasks.filter(
      (one) =>
        one.parent === task &&
        one.round === task.rounds.length &&
        (one.status === 'failed' || one.status === 'cancelled'),
    );
  }

  retryBatches(task: ModelTask): void {
    this.reopenAbove(task);
    this.reopen(task);
  }

  private reopen(task: ModelTask): void {
    revive(task, { waiting: true, now: this.now });
    for (const child of this.unsuccessful(task)) {
      this.reopenAbove(child);
      if (this.unsuccessful(child).length > 0) this.reopen(child);
      else revive(child, { waiting: false, now: this.now });
    }
  }

  private reopenAbove(task: ModelTask): void {
    const round = task.parent?.rounds[task.round - 1];
    if (!round) return;
    round.open += 1;
    round[task.status as Ended] -= 1;
  }

  private familyOf(task: ModelTask): ModelTask[] {
    const children = this.tasks.filter((one) => one.parent === task && live(one));
    return [task, ...children.flatMap((child) => this.familyOf(child))];
  }
}

const byId = (a: ModelTask, b: ModelTask): number => (a.id < b.id ? -1 : 1);

const live = (task: ModelTask): boolean => ['created', 'queued', 'running'].includes(task.status);

function move(task: ModelTask, to: TaskStatus, reason: TransitionReason): void {
  task.trail.push(`${task.status}>${to} ${reason}`);
  task.status = to;
}

function take(task: ModelTask, worker: string): ModelTask {
  move(task, 'running', 'claimed');
  Object.assign(task, { ready: false, holder: worker });
  task.attempt += 1;
  task.fence += 1;
  return task;
}

function isGuilty({ cancelRequested, crashes, deaths }: ModelTask, loss: Loss): boolean {
  if (loss === 'ended' || cancelRequested) return false;
  return deaths + (loss === 'witnessed' ? 1 : 0) >= DEATHS_ALONE || crashes >= LOSSES_ALONE;
}

function revive(task: ModelTask, { waiting, now }: { waiting: boolean; now: number }): void {
  move(task, 'queued', 'retry');
  if (waiting) move(task, 'running', 'waiting_for_children');
  Object.assign(task, { ready: !waiting, waiting, attempt: 0, crashes: 0, deaths: 0, rank: now });
}
