import { Injectable } from '@nestjs/common';
import type { Sql } from '../../platform/database/transaction.js';
import { type EndedChild, Settlement } from '../queue/settlement.js';
import { WorkflowAdvancer } from '../workflows/workflow-advancer.js';
import { FREE_ORPHANS, HOLD_ORPHANS, ORPHANS, QUARANTINE } from './isolation.sql.js';
import { guiltOf, type Orphan, POISON_PILL } from './verdict.js';

export interface FreedTask {
  readonly id: string;
  readonly queue: string;
  readonly type: string;
  readonly version: number;
  /** The one that was lost; it does not count. */
  readonly attempt: number;
  /** false: a suspect, which only a cell may claim. */
  readonly ready: boolean;
  readonly cancel: boolean;
  readonly cancel_requested_by: string | null;
}

export interface QuarantinedTask extends EndedChild {
  readonly queue: string;
  readonly type: string;
  readonly version: number;
  readonly attempt: number;
}

export interface Rescued {
  readonly freed: readonly FreedTask[];
  readonly quarantined: readonly QuarantinedTask[];
  /** Of parents whose last child was quarantined. */
  readonly queues: ReadonlySet<string>;
}

/** Decides what becomes of the tasks of workers that are no more. */
@Injectable()
export class Orphans {
  constructor(
    private readonly settlement: Settlement,
    private readonly workflows: WorkflowAdvancer,
  ) {}

  /** In the rescuer's transaction: frees what may run again, and ends what has killed too often. */
  async release(sql: Sql): Promise<Rescued> {
    const seen = await sql.query<Orphan>(ORPHANS);
    if (seen.length === 0) return { freed: [], quarantined: [], queues: new Set() };
    const ids = seen.flatMap((orphan) => (guiltOf(orphan) === undefined ? [] : (orphan.workflowId ?? [])));
    const workflows = await this.workflows.holdFree(sql, ids); // before its tasks are
    const orphans = await sql.query<Orphan>(HOLD_ORPHANS);
    const innocent = orphans.filter((orphan) => guiltOf(orphan) === undefined);
    // One whose workflow is not held, since somebody else holds it or it was orphaned since, is left for the next time.
    const guilty = orphans.filter(
      (orphan) =>
        guiltOf(orphan) !== undefined && (orphan.workflowId === null || workflows.includes(orphan.workflowId)),
    );
    const freed = await this.free(sql, innocent);
    const quarantined = await this.quarantine(sql, guilty);
    return { freed, quarantined, queues: await this.settlement.advanceParents(sql, quarantined) };
  }

  private async free(sql: Sql, innocent: readonly Orphan[]): Promise<FreedTask[]> {
    if (innocent.length === 0) return [];
    return sql.query<FreedTask>(FREE_ORPHANS, [
      innocent.map(({ id }) => id),
      innocent.map(({ lost }) => lost),
      innocent.map(({ witnessed }) => witnessed),
      innocent.map(({ how }) => how),
    ]);
  }

  private async quarantine(sql: Sql, guilty: readonly Orphan[]): Promise<QuarantinedTask[]> {
    if (guilty.length === 0) return [];
    return sql.query<QuarantinedTask>(QUARANTINE, [
      guilty.map(({ id }) => id),
      guilty.map(guiltOf),
      POISON_PILL,
      guilty.map(({ crashCount }) => crashCount + 1),
    ]);
  }
}
