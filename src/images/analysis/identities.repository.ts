import { Injectable } from '@nestjs/common';
import type { Sql } from '../../platform/database/transaction.js';
import {
  ADMIT_NEWCOMERS,
  DELETE_IMAGES,
  DROP_ANALYSIS_PROBLEMS,
  EDIT_IN_PLACE,
  EDITS,
  HAS_UNSETTLED,
  LOCK_IDENTITIES,
  LOCK_IMAGES,
  MARK_DISPLACED,
  MOVE_PROBLEMS,
  PAIRS,
  RELEASE_PATHS,
  TAKE_OVER,
} from './identities.sql.js';

interface PairRow {
  arrived_id: string;
  departed_id: string;
  replaces: string | null;
}

/** One catalogue, one step of at most `limit` rows, put down to the job. */
export interface IdentityStep {
  readonly catalogId: string;
  readonly jobId: string;
  readonly limit: number;
}

/** The steps of settling identities. Each is a transaction's work and gives how much it did; 0 = nothing is left of it. */
@Injectable()
export class IdentitiesRepository {
  async hasUnsettled(sql: Sql, catalogId: string): Promise<boolean> {
    const [row] = await sql.query<{ unsettled: boolean }>(HAS_UNSETTLED, [catalogId]);
    return row?.unsettled ?? false;
  }

  /** Images that have departed take over what has arrived of their content; whoever stood there loses the path. */
  async moveDeparted(tx: Sql, { catalogId, jobId, limit }: IdentityStep): Promise<number> {
    await tx.query(LOCK_IDENTITIES, [catalogId]);
    const pairs = await tx.query<PairRow>(PAIRS, [catalogId, limit]);
    if (pairs.length === 0) return 0;
    const { arrived, departed } = columnsOf(pairs);
    const displaced = pairs.flatMap(({ replaces }) => (replaces === null ? [] : [replaces]));
    const involved = [...arrived, ...departed, ...displaced];
    await tx.query(LOCK_IMAGES, [involved]);
    await tx.query(RELEASE_PATHS, [involved]);
    await tx.query(TAKE_OVER, [arrived, departed, jobId]);
    await this.replaceRows(tx, pairs, ['analyze']);
    return pairs.length;
  }

  /** After the last move: images whose path was taken, and whose content is nowhere, are missing. */
  async markDisplaced(tx: Sql, { catalogId, jobId, limit }: IdentityStep): Promise<number> {
    await tx.query(LOCK_IDENTITIES, [catalogId]);
    return (await tx.query(MARK_DISPLACED, [catalogId, jobId, limit])).length;
  }

  /** After the last move: content that nobody has had is a new image, unless it is an edit. Gives the new ones. */
  async admitNewcomers(tx: Sql, { catalogId, jobId, limit }: IdentityStep): Promise<string[]> {
    await tx.query(LOCK_IDENTITIES, [catalogId]);
    const admitted = await tx.query<{ id: string }>(ADMIT_NEWCOMERS, [catalogId, jobId, limit]);
    return admitted.map(({ id }) => id);
  }

  /** After the last move: new content at the path of an image that is nowhere else is an edit of it. */
  async applyEdits(tx: Sql, { catalogId, jobId, limit }: IdentityStep): Promise<number> {
    await tx.query(LOCK_IDENTITIES, [catalogId]);
    const pairs = await tx.query<PairRow>(EDITS, [catalogId, limit]);
    if (pairs.length === 0) return 0;
    const { arrived, departed } = columnsOf(pairs);
    await tx.query(LOCK_IMAGES, [[...arrived, ...departed]]);
    await tx.query(EDIT_IN_PLACE, [arrived, departed, jobId]);
    await this.replaceRows(tx, pairs, ['analyze', 'thumbnails']);
    return pairs.length;
  }

  /** The arrived rows have done their duty: what was found wrong with their content stays with it. */
  private async replaceRows(tx: Sql, pairs: readonly PairRow[], phases: readonly string[]): Promise<void> {
    const { arrived, departed } = columnsOf(pairs);
    await tx.query(DROP_ANALYSIS_PROBLEMS, [departed, phases]);
    await tx.query(MOVE_PROBLEMS, [arrived, departed]);
    await tx.query(DELETE_IMAGES, [arrived]);
  }
}

const columnsOf = (pairs: readonly PairRow[]): { arrived: string[]; departed: string[] } => ({
  arrived: pairs.map((pair) => pair.arrived_id),
  departed: pairs.map((pair) => pair.departed_id),
});
