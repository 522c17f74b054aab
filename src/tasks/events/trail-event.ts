import type { TaskStatus } from '../task-state.js';

/** What of a task never changes. */
export interface TaskFacts {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly queue: string;
  readonly parent_id: string | null;
  readonly workflow_id: string | null;
}

/** A row of the audit trail: one transition, of one task or of many at once. */
export interface TrailRow {
  readonly id: string;
  readonly at: Date;
  readonly from_status: TaskStatus | null;
  readonly to_status: TaskStatus;
  readonly worker_id: string | null;
  readonly actor: string;
  readonly reason: string;
  readonly task_ids: readonly string[];
  readonly attempts: readonly number[] | null;
  readonly error_code: string | null;
  readonly error_category: string | null;
  readonly error_message: string | null;
}

/** A transition of one task, as streams and webhooks tell of it. */
export class TrailEvent {
  private text: string | undefined;

  /**
   * @param count how many events of the row have been told with this one
   * @param facts undefined when the task has been deleted since
   */
  constructor(
    readonly row: TrailRow,
    readonly count: number,
    readonly facts: TaskFacts | undefined,
  ) {}

  get taskId(): string {
    return this.row.task_ids[this.count - 1] ?? '';
  }

  get name(): string {
    return `task.${this.row.to_status}`;
  }

  /** Made once, however many are told. Docs: events.md. */
  get json(): string {
    return (this.text ??= JSON.stringify(this.document()));
  }

  private document(): object {
    const { row, facts, count } = this;
    return {
      event: this.name,
      id: row.id,
      at: row.at,
      task_id: this.taskId,
      ...(facts && { type: facts.type, name: facts.name, queue: facts.queue }),
      ...present({ parent_id: facts?.parent_id, workflow_id: facts?.workflow_id, from: row.from_status }),
      to: row.to_status,
      reason: row.reason,
      actor: row.actor,
      attempt: row.attempts?.[count - 1] ?? 0,
      ...present({ worker_id: row.worker_id, error_code: row.error_code, error_category: row.error_category }),
      ...present({ error_message: row.error_message }),
    };
  }
}

/** Without what there is not: events are many, and most have no error, parent or workflow. */
export const present = (fields: Record<string, unknown>): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
