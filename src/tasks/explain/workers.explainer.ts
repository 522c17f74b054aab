import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { EXTERNAL_TYPE, WORKERS_FOR } from './explain.sql.js';
import type { ExplainedTask, Explainer, Reason } from './reason.js';
import { count } from './words.js';

interface WorkerRow {
  id: string;
  slots: number;
  knows_type: boolean;
  /** Null: it does not know the type, or is from before versions were told. */
  knows_version: number | null;
  running: number;
}

/** Nobody is there who could take it, or all who could are busy. */
@Injectable()
export class WorkersExplainer implements Explainer {
  constructor(private readonly database: Database) {}

  async explain(task: ExplainedTask): Promise<readonly Reason[]> {
    if (task.status !== 'queued') return [];
    const alive = await this.database.query<WorkerRow>(WORKERS_FOR, [task.queue, task.type]);
    const knowType = alive.filter((worker) => worker.knows_type);
    const knowVersion = knowType.filter(({ knows_version: known }) => known === null || known >= task.version);
    const able = knowVersion.filter(({ slots }) => slots > 0);
    const facts = { workers: alive.length, know_type: knowType.length, know_version: knowVersion.length };
    if (knowType.length === 0) {
      const [external] = await this.database.query<ExternalRow>(EXTERNAL_TYPE, [task.type]);
      if (external) return [forExternal(task, external)];
      return [alive.length === 0 ? noWorker(facts) : noWorkerForType(task, facts)];
    }
    if (knowVersion.length === 0) return [noWorkerForVersion(task, knowType, facts)];
    if (able.length === 0) return [noWorkerForQueue(task, facts)];
    return task.ready ? busy(task, able) : [];
  }
}

interface ExternalRow {
  newest: number;
  running: number;
}

type Facts = Readonly<Record<string, number>>;

const START_ONE = 'Start one: photosafe worker, or photosafe serve.';

const noWorker = (facts: Facts): Reason => ({
  code: 'no_worker',
  message: 'No worker is running.',
  next: 'It stays in the queue until a worker comes.',
  advice: START_ONE,
  facts,
});

/** Whether one is there nobody can tell: an idle external worker leaves no trace. */
const forExternal = ({ type, version, queue }: ExplainedTask, { newest, running }: ExternalRow): Reason => ({
  code: 'waiting_for_external_worker',
  message:
    `It waits for an external worker to claim it; external workers hold ${running === 0 ? 'no' : String(running)} ` +
    `${running === 1 ? 'task' : 'tasks'} of type ${type} at present.`,
  next: 'It is given to the next one that asks for tasks of this type and version, when its turn comes.',
  advice: `Start the worker that claims ${type}, if none runs.`,
  facts: { type, version, newest_declared_version: newest, queue, running },
});

const noWorkerForType = ({ type }: ExplainedTask, facts: Facts): Reason => ({
  code: 'no_worker_for_type',
  message: `None of the ${count(facts.workers ?? 0, 'running worker')} knows tasks of type ${type}.`,
  next: 'It stays in the queue until a worker comes that knows them.',
  advice: 'Start a worker of the release that has this type, or cancel the task if the type is gone for good.',
  facts: { ...facts, type },
});

function noWorkerForVersion({ type, version }: ExplainedTask, workers: readonly WorkerRow[], facts: Facts): Reason {
  const newest = Math.max(...workers.map((worker) => worker.knows_version ?? 0));
  return {
    code: 'no_worker_for_version',
    message: `Its input is of version ${String(version)} of ${type}; the running workers know it up to version ${String(newest)}.`,
    next: 'It stays in the queue until a newer worker comes.',
    advice: 'Bring the workers up to date.',
    facts: { ...facts, type, version, newest_known_version: newest },
  };
}

const noWorkerForQueue = ({ queue, type }: ExplainedTask, facts: Facts): Reason => ({
  code: 'no_worker_for_queue',
  message: `No running worker that knows ${type} takes tasks from the queue ${queue}.`,
  next: 'It stays in the queue until a worker serves it.',
  advice: `Give the queue ${queue} a concurrency above 0 in PHOTOSAFE_WORKER_CONCURRENCY.`,
  facts: { ...facts, queue },
});

function busy({ queue }: ExplainedTask, able: readonly WorkerRow[]): Reason[] {
  const slots = able.reduce((sum, worker) => sum + worker.slots, 0);
  const running = able.reduce((sum, worker) => sum + Math.min(worker.running, worker.slots), 0);
  if (running < slots) return [];
  return [
    {
      code: 'workers_busy',
      message: `All ${count(slots, 'slot')} of the queue ${queue} on ${count(able.length, 'worker')} are taken.`,
      next: 'It is taken when its turn comes and a slot is free.',
      advice: 'Start another worker, or raise the concurrency of the queue, if this lasts.',
      facts: { queue, slots, running, workers: able.length },
    },
  ];
}
