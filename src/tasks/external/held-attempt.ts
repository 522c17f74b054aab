import type { Ending } from '../queue/settlement.js';

/** A row of an attempt that an external worker holds. */
export interface HeldAttempt {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  readonly version: number;
  readonly fence: number;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly worker_id: string;
  readonly has_parent: boolean;
  readonly workflow_id: string | null;
  readonly started_at: Date;
  readonly timeout_ms: number;
  readonly processed: string;
  readonly total: string | null;
  readonly trace_parent: string | null;
  readonly cancel: boolean;
  readonly cancel_requested_by: string | null;
}

/** The attempt as the engine settles it. */
export const settled = (held: HeldAttempt): Omit<Ending, 'status'> => ({
  id: held.id,
  fence: held.fence,
  hasParent: held.has_parent,
  workflowId: held.workflow_id,
  processed: Number(held.processed),
  total: held.total === null ? undefined : Number(held.total),
});
