import type { ClaimedRow } from '../worker/attempt.js';

/** A place between two tasks of a lane, by the rank (a bigint, as text) and the id of the one before. */
export type LanePlace = readonly [rank: string, id: string];

/** Before the least rank there can be. */
export const FROM_THE_START: LanePlace = ['-9223372036854775808', '00000000-0000-0000-0000-000000000000'];
/** How long claims may pass over what comes before the last one, unless somebody says that there is something. */
const TRUSTED_MS = 500;

/** How soon to look again where the database did not answer. */
export const RETRY_MS = 500;

export interface LaneClaim {
  readonly rows: ClaimedRow[];
  /** There may be more: it is not known. */
  readonly retryInMs?: number;
}

interface Position {
  readonly place: LanePlace;
  readonly revision: string;
  readonly untilMs: number;
}

/**
 * How far down a queue's own lane a worker has come. What was claimed leaves dead entries at the head of the index, which
 * every claim from the start walks over until a vacuum has removed them: and none can while anybody holds an old snapshot
 * (a dump, a forgotten transaction). So while claims come back full, each goes on where the last one ended. News
 * make the next one begin at the start, since what has come may rank before; so does every half second, for news that were lost.
 */
export class LanePosition {
  private reached: Position | undefined;
  private news = 0;

  /** Something may have come that ranks before what was claimed last. */
  startAgain(): void {
    this.reached = undefined;
    this.news += 1;
  }

  /**
   * Up to `wanted` of the rows that `claimFrom` finds from a place on; fewer only if there are no more, from the start on, or it says when to ask again. Under
   * another revision of limits the lane holds other tasks.
   */
  async claim(
    wanted: number,
    revision: string,
    claimFrom: (place: LanePlace, limit: number) => Promise<ClaimedRow[]>,
  ): Promise<LaneClaim> {
    const { news } = this;
    const from = this.trusted(revision);
    const rows = await claimFrom(from?.place ?? FROM_THE_START, wanted);
    const isFull = rows.length === wanted;
    // From when the start was seen: the way there may have been long.
    const untilMs = from?.untilMs ?? performance.now() + TRUSTED_MS;
    this.reached = isFull && news === this.news ? { place: placeOfLast(rows), revision, untilMs } : undefined;
    if (isFull || !from) return { rows };
    try {
      return { rows: [...rows, ...(await claimFrom(FROM_THE_START, wanted - rows.length))] };
    } catch (error) {
      if (rows.length === 0) throw error;
      return { rows, retryInMs: RETRY_MS }; // what was claimed counts, even where another statement was not answered
    }
  }

  private trusted(revision: string): Position | undefined {
    const { reached } = this;
    return reached?.revision === revision && performance.now() < reached.untilMs ? reached : undefined;
  }
}

/** RETURNING has no order of its own. */
function placeOfLast(rows: readonly ClaimedRow[]): LanePlace {
  const isLater = (a: ClaimedRow, b: ClaimedRow): boolean => a.rank > b.rank || (a.rank === b.rank && a.id > b.id);
  const { rank, id } = rows.reduce((last, row) => (isLater(row, last) ? row : last));
  return [String(rank), id];
}
