import type { TaskStatus } from '../task-state.js';
import type { TaskFacts, TrailEvent } from './trail-event.js';

/** Which events somebody wants. What is left out does not narrow. */
export interface EventFilter {
  /** Entered with the event. */
  readonly statuses?: readonly TaskStatus[];
  /** Lower case. */
  readonly types?: readonly string[];
  readonly queue?: string;
  readonly taskIds?: readonly string[];
  readonly parentId?: string;
  readonly workflowId?: string;
  /** Only tasks that are not part of another one's work. */
  readonly topLevel?: boolean;
}

/** A filter, made ready to be asked often. Filters that ask for the same have the same `key`. */
export class EventMatcher {
  readonly key: string;
  private readonly statuses: ReadonlySet<string> | undefined;
  private readonly types: ReadonlySet<string> | undefined;
  private readonly taskIds: ReadonlySet<string> | undefined;

  constructor(private readonly filter: EventFilter) {
    const { statuses, types, taskIds, queue, parentId, workflowId, topLevel } = filter;
    this.statuses = statuses && new Set(statuses);
    this.types = types && new Set(types);
    this.taskIds = taskIds && new Set(taskIds);
    const sets = [statuses, types, taskIds].map((list) => list && [...list].sort());
    this.key = JSON.stringify([sets, queue, parentId, workflowId, topLevel]);
  }

  matches(event: TrailEvent): boolean {
    if (this.statuses?.has(event.row.to_status) === false) return false;
    return this.matchesTask(event.taskId, event.facts);
  }

  /** Of a task that has been deleted nothing is known but its id. */
  matchesTask(id: string, facts: TaskFacts | undefined): boolean {
    const { queue, parentId, workflowId, topLevel } = this.filter;
    if (this.taskIds?.has(id) === false) return false;
    if (this.types?.has(facts?.type ?? '') === false) return false;
    if (queue !== undefined && facts?.queue !== queue) return false;
    if (parentId !== undefined && facts?.parent_id !== parentId) return false;
    if (workflowId !== undefined && facts?.workflow_id !== workflowId) return false;
    return topLevel !== true || facts?.parent_id === null;
  }
}
