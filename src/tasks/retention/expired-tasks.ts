import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { Sql } from '../../platform/database/transaction.js';
import { deleteBelow } from '../bulk/delete-below.js';
import { firstIdAt } from '../listing/task-filter.js';
import type { Sweep } from './retention-policy.js';
import { FIRST_ID } from './retention-run.js';
import {
  EXPIRED,
  EXPIRED_WORKFLOWS,
  FAMILIES,
  MISSING_PARENTS,
  REMOVE,
  REMOVE_EVENT_BATCHES,
  REMOVE_WORKFLOWS,
  TAKE,
  TAKE_WORKFLOWS,
  TASKS_OF_WORKFLOWS,
} from './retention.sql.js';

/** Looked at by one statement. */
const ROOTS_A_LOOK = 500;
const EVENT_BATCHES_A_LOOK = 500;
const PARENTS_A_LOOK = 2_000;

/** Tasks that may go together: with each all its batches, with a workflow all its tasks. */
export interface ExpiredBatch {
  /** In order, batches included; may be empty when all that was looked at is needed yet. */
  readonly ids: readonly string[];
  readonly workflows: readonly string[];
  /** No later than what was seen of them. */
  readonly foundAt: string;
  /** Where to look on. */
  readonly last: string;
}

interface Sized {
  readonly id: string;
  readonly size: number;
}

/** A task, and what it goes with: itself or a workflow. */
interface Member {
  readonly root: string;
  /** null: a workflow without tasks. */
  readonly id: string | null;
}

/** Finds and removes finished tasks whose time is over. */
@Injectable()
export class ExpiredTasks {
  constructor(private readonly database: Database) {}

  /**
   * The next tasks of a sweep after `after`: about `limit`, and more only when a single task with its batches is. Undefined
   * when there are no more.
   */
  async find({ type, outcome, before }: Sweep, after: string, limit: number): Promise<ExpiredBatch | undefined> {
    const values = [type, outcome, after, firstIdAt(before), before, Math.min(limit, ROOTS_A_LOOK)];
    const roots = fitting(await this.database.query<Sized>(EXPIRED, values), limit);
    const found = await this.families(roots.map((id) => ({ root: id, id })));
    return roots.length === 0 ? undefined : { ...found, workflows: [], last: roots.at(-1) ?? '' };
  }

  /** The same for finished workflows, all of whose tasks may go by one of these sweeps. */
  async findWorkflows(sweeps: readonly Sweep[], after: string, limit: number): Promise<ExpiredBatch | undefined> {
    const latest = new Date(Math.max(0, ...sweeps.map(({ before }) => before.getTime())));
    const values = [
      sweeps.map(({ type }) => type),
      sweeps.map(({ outcome }) => outcome),
      sweeps.map(({ before }) => before),
      ...[after, firstIdAt(latest), latest, Math.min(limit, ROOTS_A_LOOK)],
    ];
    const workflows = fitting(await this.database.query<Sized>(EXPIRED_WORKFLOWS, values), limit);
    if (workflows.length === 0) return undefined;
    const found = await this.families(await this.database.query<Member>(TASKS_OF_WORKFLOWS, [workflows]));
    return { ...found, workflows: found.roots, last: workflows.at(-1) ?? '' };
  }

  /**
   * Removes a batch with its audit trail; in a transaction that the caller fences. Gives the number of audit rows, or
   * undefined when one of the tasks was run again since it was found: then nothing is removed. Workflows are locked
   * before tasks, as everywhere.
   */
  async remove(tx: Sql, { ids, workflows, foundAt }: ExpiredBatch): Promise<number | undefined> {
    if (workflows.length > 0) {
      const held = await tx.query(TAKE_WORKFLOWS, [workflows, foundAt]);
      if (held.length !== workflows.length) return undefined;
    }
    const taken = await tx.query(TAKE, [ids, foundAt]);
    if (taken.length !== ids.length) return undefined;
    const [removed] = await tx.query<{ events: number }>(REMOVE, [ids]);
    if (workflows.length > 0) await tx.query(REMOVE_WORKFLOWS, [workflows]);
    return removed?.events ?? 0;
  }

  /** Removes audit rows of many tasks from before a time, once all of their tasks are gone. Gives how many. */
  async removeEventBatches(before: Date, signal: AbortSignal): Promise<number> {
    let sum = 0;
    for (let after: string | null = '0'; after !== null;) {
      signal.throwIfAborted();
      const [piece]: { last: string | null; removed: number }[] = await this.database.query(REMOVE_EVENT_BATCHES, [
        ...[before, after, EVENT_BATCHES_A_LOOK],
      ]);
      sum += piece?.removed ?? 0;
      after = piece?.last ?? null;
    }
    return sum;
  }

  /** Removes batches whose task is gone: a deletion of many tasks that was broken off leaves such. Gives how many. */
  async removeOrphans(signal: AbortSignal): Promise<number> {
    let sum = 0;
    for (let after: string | null = FIRST_ID; after !== null;) {
      signal.throwIfAborted();
      const [look]: { last: string | null; missing: string[] }[] = await this.database.query(MISSING_PARENTS, [
        ...[after, PARENTS_A_LOOK],
      ]);
      sum += await deleteBelow(this.database, look?.missing ?? []);
      after = look?.last ?? null;
    }
    return sum;
  }

  private async families(members: readonly Member[]): Promise<{ ids: string[]; roots: string[]; foundAt: string }> {
    const values = [members.map(({ root }) => root), members.map(({ id }) => id)];
    const found = await this.database.query<Member & { found_at: string }>(FAMILIES, values);
    return {
      ids: found.flatMap(({ id }) => (id === null ? [] : [id])),
      roots: [...new Set(found.map(({ root }) => root))].sort(),
      foundAt: found[0]?.found_at ?? '',
    };
  }
}

/** The first ones that add up to no more than the limit; one at least. */
function fitting(things: readonly Sized[], limit: number): string[] {
  let sum = 0;
  const fit = things.filter(({ size }, i) => (sum += size) <= limit || i === 0);
  return fit.map(({ id }) => id);
}
