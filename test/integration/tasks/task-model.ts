import type { TaskStatus } from '../../../src/tasks/index.js';

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
  status: TaskStatus;
  ready: boolean;
  waiting: boolean;
  attempt: number;
  fence: number;
  crashes: number;
  holder: string | undefined;
  cancelRequested: boolean;
}

export type Ended = 'completed' | 'failed' | 'cancelled';

/** What the engine promises about statuses, attempts and counters, without a database: lists and assignments. */
export class TaskModel {
  readonly tasks: ModelTask[] = [];

  add(task: Pick<ModelTask, 'id'> & Partial<ModelTask>): ModelTask {
    const added: ModelTask = {
      parent: undefined,
      round: 0,
      dedupKey: undefined,
      maxAttempts: 1,
      rounds: [],
      status: 'queued',
      ready: true,
      waiting: false,
      attempt: 0,
      fence: 0,
      crashes: 0,
      holder: undefined,
      cancelRequested: false,
      ...task,
    };
    this.tasks.push(added);
    return added;
  }

  holderOf(dedupKey: string): ModelTask | undefined {
    return this.tasks.find((task) => task.dedupKey === dedupKey && live(task));
  }

  /** In the order of ids, which is that of creation. */
  claim(worker: string, limit: number): ModelTask[] {
    const claimed = this.tasks
      .filter((task) => task.status === 'queued' && task.ready)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit);
    for (const task of claimed) {
      Object.assign(task, { status: 'running', ready: false, holder: worker });
      task.attempt += 1;
      task.fence += 1;
    }
    return claimed;
  }

  end(task: ModelTask, status: Ended): void {
    Object.assign(task, { status, ready: false, waiting: false, holder: undefined, cancelRequested: false });
    const round = task.parent?.rounds[task.round - 1];
    if (!task.parent || !round) return;
    round.open -= 1;
    round[status] += 1;
    if (round.open === 0 && task.parent.waiting && task.round === task.parent.rounds.length) {
      Object.assign(task.parent, { status: 'queued', ready: true, waiting: false });
      task.parent.attempt = Math.max(0, task.parent.attempt - 1);
    }
  }

  giveBack(task: ModelTask, reason: 'backoff' | 'released', ready: boolean): void {
    if (task.cancelRequested) {
      this.end(task, 'cancelled');
      return;
    }
    Object.assign(task, { status: 'queued', ready, holder: undefined });
    if (reason === 'released') task.attempt -= 1;
  }

  split(task: ModelTask, children: readonly string[]): void {
    task.rounds.push({ open: children.length, completed: 0, failed: 0, cancelled: 0 });
    Object.assign(task, { waiting: true, holder: undefined });
    for (const id of children) this.add({ id, parent: task, round: task.rounds.length, maxAttempts: 2 });
    if (task.cancelRequested) this.cancel(task);
  }

  cancel(task: ModelTask): void {
    if (!live(task)) return;
    const family = this.familyOf(task);
    const unheld = family.filter((one) => one.holder === undefined);
    for (const one of family) if (one.holder !== undefined) one.cancelRequested = true;
    // All at once: none of them can be woken by another one's end.
    for (const one of unheld) one.waiting = false;
    for (const one of unheld) this.end(one, 'cancelled');
    for (const one of unheld) one.status = 'cancelled';
  }

  crash(worker: string): void {
    for (const task of this.tasks.filter((one) => one.holder === worker)) {
      Object.assign(task, { status: 'queued', ready: true, holder: undefined });
      task.attempt -= 1;
      task.crashes += 1;
    }
    for (const task of this.tasks) if (task.cancelRequested && task.status === 'queued') this.cancel(task);
  }

  /** Whether a finished task may be run again: its parent must wait for it. */
  mayRerun(task: ModelTask): boolean {
    if (task.status !== 'failed' && task.status !== 'cancelled') return false;
    if (task.parent && !task.parent.waiting) return false;
    return task.dedupKey === undefined || this.holderOf(task.dedupKey) === undefined;
  }

  rerun(task: ModelTask): void {
    this.reopenAbove(task);
    revive(task, false);
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
    revive(task, true);
    for (const child of this.unsuccessful(task)) {
      this.reopenAbove(child);
      if (this.unsuccessful(child).length > 0) this.reopen(child);
      else revive(child, false);
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

const live = (task: ModelTask): boolean => ['created', 'queued', 'running'].includes(task.status);

function revive(task: ModelTask, waiting: boolean): void {
  Object.assign(task, { status: waiting ? 'running' : 'queued', ready: !waiting, waiting, attempt: 0 });
}
