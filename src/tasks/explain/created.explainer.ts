import { Injectable } from '@nestjs/common';
import type { ExplainedTask, Explainer, Reason } from './reason.js';

/** Nobody has started it. */
@Injectable()
export class CreatedExplainer implements Explainer {
  explain(task: ExplainedTask): readonly Reason[] {
    // One that is part of a workflow waits for other tasks, not for a person.
    if (task.status !== 'created' || task.workflowId !== null) return [];
    return [
      {
        code: 'waiting_to_be_run',
        message: `It was created by ${task.requestedBy} to be started later, and nobody has started it.`,
        advice: 'Start it with run.',
        facts: { created_at: task.createdAt.toISOString(), requested_by: task.requestedBy },
      },
    ];
  }
}
