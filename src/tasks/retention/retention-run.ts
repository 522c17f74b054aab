import type { Json } from '../task-handler.js';
import type { Sweep } from './retention-policy.js';

/** What a run has removed, and where it goes on: its checkpoint, and in the end its result. */
export interface RetentionRun {
  /** The sweep it is in, by its key; those that sort before it are done. */
  readonly key: string;
  /** The last task of it that was looked at. */
  readonly after: string;
  readonly tasksBySweep: Readonly<Record<string, number>>;
  readonly tasks: number;
  readonly workflows: number;
  readonly events: number;
  readonly files: number;
  readonly sizeBytes: number;
}

/** A batch that is done with. */
export interface DoneBatch {
  readonly last: string;
  readonly tasks: number;
  readonly workflows: number;
  readonly events: number;
  readonly archivedBytes?: number;
}

export const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const NEW_RUN: RetentionRun = {
  ...{ key: '', after: FIRST_ID, tasksBySweep: {} },
  ...{ tasks: 0, workflows: 0, events: 0, files: 0, sizeBytes: 0 },
};

export const runFrom = (checkpoint: Json | undefined): RetentionRun => ({ ...NEW_RUN, ...(checkpoint as object) });

/** Where to begin with the sweep of a key; undefined when the run is through with it. */
export function startOf(run: RetentionRun, key: string): string | undefined {
  if (key < run.key) return undefined;
  return key === run.key ? run.after : FIRST_ID;
}

export function advanced(run: RetentionRun, key: string, batch: DoneBatch): RetentionRun {
  return {
    key,
    after: batch.last,
    tasksBySweep: { ...run.tasksBySweep, [key]: (run.tasksBySweep[key] ?? 0) + batch.tasks },
    tasks: run.tasks + batch.tasks,
    workflows: run.workflows + batch.workflows,
    events: run.events + batch.events,
    files: run.files + (batch.archivedBytes === undefined ? 0 : 1),
    sizeBytes: run.sizeBytes + (batch.archivedBytes ?? 0),
  };
}

/** Types and outcomes of which there was something to remove; tasks of workflows apart. */
export const countsOf = ({ tasksBySweep }: RetentionRun): { type: string; outcome: string; tasks: number }[] =>
  Object.entries(tasksBySweep).flatMap(([key, tasks]) => {
    const [type = '', outcome = ''] = key.split(' ');
    return tasks === 0 || key === WORKFLOWS_KEY ? [] : [{ type, outcome, tasks }];
  });

/** Sorts as the sweeps do: no type holds a character that sorts before the separator. */
export const keyOf = ({ type, outcome }: Sweep): string => `${type} ${outcome}`;

/** Sorts after every type. */
export const WORKFLOWS_KEY = '~workflows';
