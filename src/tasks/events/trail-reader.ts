import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Pool } from 'pg';
import { Database } from '../../platform/database/database.js';
import { PLANNER } from '../queue/engine-pool.js';
import { decodePosition, endOf, type Position } from './position.js';
import { BETWEEN, FACTS_OF_TASKS, MARK_OF, NEXT_MARK, PROGRESS, TAKE_SNAPSHOT } from './trail.sql.js';
import { type TaskFacts, TrailEvent, type TrailRow } from './trail-event.js';

/** One for whoever follows what happens now, and two for those who catch up. */
const CONNECTIONS = 3;
/** Smaller gives up on a busy server, larger on a broken network too late. */
const ANSWER_MS = 20_000;
/** A page ends with the row that makes it so many events: enough to keep up, few enough for all who follow to hold. */
const EVENTS_A_PAGE = 2_000;
const ROWS_A_PAGE = 2_000;
/**
 * Reading up to a mark finds about as many rows as this, and all of its pages look at all of them. Smaller makes a statement
 * for little, larger makes the pages of one stretch slow. A row of many tasks may fill a page alone.
 */
const STRETCH = { singles: 2_000, batches: 200 };
/** What is known of so many tasks is kept; a task usually has three events within seconds. */
const KNOWN_TASKS = 20_000;
/** Retention keeps every finished task for a day at least, so the trail is whole as far back as this. */
export const POSITION_LASTS_S = 86_400;
/** Beyond this progress is told of some running tasks only. */
const MOST_RUNNING = 5_000;

/** Some of the trail, in order. */
export interface TrailPage {
  readonly events: readonly TrailEvent[];
  readonly start: Position;
  /** The snapshot that bounds it. */
  readonly until: string;
  readonly end: Position;
  /** All that `until` shows has been told with this page. */
  readonly isLast: boolean;
}

export type PositionProblem = 'position_malformed' | 'position_too_old' | 'position_unknown';

/** A running task's progress. */
export interface ProgressRow extends TaskFacts {
  readonly processed: string;
  readonly total: string | null;
}

interface SnapshotRow {
  readonly seen: string;
  readonly taken_at: number;
}

/** Reads the audit trail between positions. Its connections are its own: it waits for no task, and no task for it. */
@Injectable()
export class TrailReader implements OnApplicationShutdown {
  /** {@link STRETCH}, or less in tests. */
  stretch = STRETCH;
  private readonly known = new Map<string, TaskFacts>();
  private pool: Pool | undefined;

  constructor(private readonly database: Database) {}

  /** Here and now: all that is committed by now is behind it. */
  async now(): Promise<Position> {
    const [row] = await this.query<SnapshotRow>(TAKE_SNAPSHOT, []);
    if (!row) throw new Error('the database gave no snapshot');
    return positionAt(row);
  }

  /**
   * Events after `position` that `latest` shows: first those up to a mark, where there is one on the way. From the middle of
   * what lies between two snapshots, first the rest of that. A page may be empty and the last.
   */
  async page(position: Position, latest: Position): Promise<TrailPage> {
    const { within } = position;
    const stop = await this.stopAfter(position, latest);
    const values = [position.seen, stop.seen, within?.id ?? '0', ROWS_A_PAGE, EVENTS_A_PAGE];
    const rows = await this.query<TrailRow & { more: boolean }>(BETWEEN, values);
    const last = rows.at(-1);
    const isLast = last?.more !== true;
    const until = stop.seen;
    const end = isLast ? stop : { ...position, within: { until, id: (BigInt(last.id) + 1n).toString(), count: 0 } };
    return { events: await this.eventsOf(rows, within), start: position, until, end, isLast };
  }

  /** What a client was given to go on from. @returns why it cannot, or the position */
  async resolve(text: string): Promise<Position | PositionProblem> {
    const position = decodePosition(text);
    if (!position) return 'position_malformed';
    const now = await this.now();
    // Of another database, or of this one before it was restored from a copy.
    if (endOf(position.within?.until ?? position.seen) > endOf(now.seen)) return 'position_unknown';
    return position.takenAt < now.takenAt - POSITION_LASTS_S ? 'position_too_old' : position;
  }

  running(): Promise<ProgressRow[]> {
    return this.query<ProgressRow>(PROGRESS, [MOST_RUNNING]);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool?.end();
  }

  /** Where the stretch ends that `position` begins, or is in the middle of. */
  private async stopAfter({ seen, within, takenAt }: Position, latest: Position): Promise<Position> {
    if (within?.until === latest.seen) return latest;
    const { singles, batches } = this.stretch;
    const [mark] = within
      ? await this.query<SnapshotRow>(MARK_OF, [within.until])
      : await this.query<SnapshotRow>(NEXT_MARK, [seen, latest.seen, singles, batches]);
    if (mark) return positionAt(mark);
    return within ? { takenAt, seen: within.until } : latest;
  }

  private async eventsOf(rows: readonly TrailRow[], after: Position['within']): Promise<TrailEvent[]> {
    const facts = await this.facts(new Set(rows.flatMap((row) => row.task_ids)));
    return rows.flatMap((row) => {
      const told = row.id === after?.id ? after.count : 0;
      return row.task_ids.slice(told).map((id, i) => new TrailEvent(row, told + i + 1, facts.get(id)));
    });
  }

  private async facts(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, TaskFacts>> {
    const unknown = [...ids].filter((id) => !this.known.has(id));
    const found = unknown.length === 0 ? [] : await this.query<TaskFacts>(FACTS_OF_TASKS, [unknown]);
    const facts = new Map(found.map((task) => [task.id, task]));
    for (const id of ids) {
      const task = facts.get(id) ?? this.known.get(id);
      if (!task) continue;
      facts.set(id, task);
      this.known.delete(id); // to the end: who was asked for last is forgotten last
      this.known.set(id, task);
    }
    for (const oldest of this.known.keys()) {
      if (this.known.size <= KNOWN_TASKS) break;
      this.known.delete(oldest);
    }
    return facts;
  }

  private async query<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
    this.pool ??= this.database.createPool({
      max: CONNECTIONS,
      applicationName: 'photosafe-events',
      settings: { ...PLANNER, plan_cache_mode: 'auto', statement_timeout: String(ANSWER_MS) },
    });
    const query = { text, values: [...values], query_timeout: ANSWER_MS };
    return (await this.pool.query<Row>(query)).rows;
  }
}

const positionAt = ({ seen, taken_at: takenAt }: SnapshotRow): Position => ({ seen, takenAt });
