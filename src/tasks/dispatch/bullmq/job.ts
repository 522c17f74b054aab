/** What Redis needs to know of a ready task. */
export interface ReadyTask {
  readonly id: string;
  readonly fence: number;
  readonly priority: number;
}

/** With its place in the line. */
export interface TaskInLine extends ReadyTask {
  /** A bigint, as text. */
  readonly rank: string;
}

/** BullMQ's lowest priority; 1 is its highest. */
const LOWEST = 2 ** 21;

/** With the fence: the next round of a task is another job. */
export const jobId = ({ id, fence }: ReadyTask): string => `${id}_${String(fence)}`;

/** The task that a job proposes; undefined for a job that is none of ours. */
export function taskIdOf(jobId: string): string | undefined {
  return /^([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})_\d+$/.exec(jobId)?.[1];
}

/** Ours: higher is sooner, any 32-bit number. BullMQ's: lower is sooner. Beyond a million either way all are alike. */
export const bullPriority = (priority: number): number => Math.min(LOWEST, Math.max(1, LOWEST / 2 - priority));
