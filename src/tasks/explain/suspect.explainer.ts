import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { SUSPECTS_AHEAD } from './explain.sql.js';
import type { ExplainedTask, Explainer, Reason } from './reason.js';
import { count } from './words.js';

/** Counting stops here. */
const MAX_COUNTED = 1_000;

interface SuspectsRow {
  ahead: number;
  cell_is_open: boolean;
}

/** Its process died, perhaps because of it: it waits to be run where it can hurt no other. */
@Injectable()
export class SuspectExplainer implements Explainer {
  constructor(private readonly database: Database) {}

  async explain(task: ExplainedTask): Promise<readonly Reason[]> {
    if (!isSuspect(task)) return [];
    const values = [task.crashCount, task.id, MAX_COUNTED, task.type, task.queue];
    const [row] = await this.database.query<SuspectsRow>(SUSPECTS_AHEAD, values);
    return row ? [suspect(task, row)] : [];
  }
}

export const isSuspect = ({ status, ready, crashCount }: ExplainedTask): boolean =>
  status === 'queued' && !ready && crashCount > 0;

const suspect = ({ crashCount }: ExplainedTask, { ahead, cell_is_open: isOpen }: SuspectsRow): Reason => ({
  code: 'suspect',
  message:
    `The process that worked on it died ${crashCount === 1 ? 'once' : `${String(crashCount)} times`}, so it waits to run alone; ` +
    `${ahead === 0 ? 'it is the next to do so' : `${count(ahead, 'such task')} ${ahead === 1 ? 'is' : 'are'} before it`}.`,
  next: 'If it completes alone it is cleared, with its attempts as they were; if it kills again it is quarantined.',
  facts: { crash_count: crashCount, ahead, ahead_is_at_least: ahead === MAX_COUNTED, cell_is_open: isOpen },
});
