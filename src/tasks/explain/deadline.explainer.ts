import { Injectable } from '@nestjs/common';
import type { ExplainedTask, Explainer, Reason } from './reason.js';
import { moment } from './words.js';

/** It must have started by a certain time, and has not. Never the first reason, but one to know. */
@Injectable()
export class DeadlineExplainer implements Explainer {
  explain({ status, startBy, startedAt }: ExplainedTask): readonly Reason[] {
    if (startBy === null || startedAt !== null || (status !== 'queued' && status !== 'created')) return [];
    return [
      {
        code: 'must_start_by',
        message: `It fails if it has not started by ${moment(startBy)}.`,
        facts: { start_by: startBy.toISOString() },
      },
    ];
  }
}
