import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { WORKER } from './explain.sql.js';
import type { ExplainedTask, Explainer, Reason } from './reason.js';
import { at, moment } from './words.js';

interface WorkerRow {
  hostname: string;
  pid: number;
  seen_at: Date;
  isolated: boolean;
  external: boolean;
  alive: boolean;
}

/** Who holds it, since when, how far it is; and whether that worker is still there. */
@Injectable()
export class RunningExplainer implements Explainer {
  constructor(private readonly database: Database) {}

  async explain(task: ExplainedTask): Promise<readonly Reason[]> {
    if (task.status !== 'running' || task.waiting) return [];
    const [worker] = await this.database.query<WorkerRow>(WORKER, [task.workerId]);
    const running = worker?.alive ? runningOn(task, worker) : lost(task, worker);
    return task.cancelRequestedAt === null ? [running] : [cancelling(task, task.cancelRequestedAt), running];
  }
}

function runningOn(task: ExplainedTask, worker: WorkerRow): Reason {
  const { hostname, pid, isolated, external } = worker;
  const progress = task.total === null ? '' : `, ${String(task.progress)}% done`;
  const eta = task.eta === null ? '' : `; at this rate it is done ${at(task.eta)}`;
  return {
    code: 'running',
    message:
      `It has been running ${placeOf(worker)} since ${moment(task.startedAt)}${progress}${eta}; ` +
      `this is attempt ${String(task.attempt)} of ${String(task.maxAttempts)}.`,
    next: `The attempt may take until ${moment(deadline(task))}; then it is stopped.`,
    facts: {
      worker_id: task.workerId,
      hostname,
      pid,
      isolated,
      external,
      started_at: task.startedAt?.toISOString() ?? null,
      progress: task.progress,
      processed: task.processed,
      total: task.total,
      eta: task.eta?.toISOString() ?? null,
      attempt: task.attempt,
      max_attempts: task.maxAttempts,
      times_out_at: deadline(task)?.toISOString() ?? null,
    },
  };
}

function placeOf({ hostname, pid, isolated, external }: WorkerRow): string {
  if (external) return `at the external worker ${hostname}`;
  return `on ${hostname} (process ${String(pid)}${isolated ? ', alone in it, because processes died with it' : ''})`;
}

/** Not yet noticed by the rescuer, or there is none. */
const lost = (task: ExplainedTask, worker: WorkerRow | undefined): Reason => ({
  code: 'worker_lost',
  message: worker ? `Its worker (${placeOf(worker)}) was last heard of ${at(worker.seen_at)}.` : 'Its worker is gone.',
  next: 'Any other worker takes it back into the queue within seconds; the attempt does not count.',
  advice: 'If it stays so, no worker is there at all: start one.',
  facts: { worker_id: task.workerId, seen_at: worker?.seen_at.toISOString() ?? null },
});

const cancelling = (task: ExplainedTask, asked: Date): Reason => ({
  code: 'cancel_requested',
  message: `It was asked to stop ${at(asked)} and has not ended yet.`,
  next: 'Its worker ends it within seconds, also when its code does not listen.',
  facts: { cancel_requested_at: asked.toISOString(), worker_id: task.workerId },
});

const deadline = ({ startedAt, timeoutMs }: ExplainedTask): Date | null =>
  startedAt === null ? null : new Date(startedAt.getTime() + timeoutMs);
