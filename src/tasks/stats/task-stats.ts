import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import { firstIdAt } from '../listing/task-filter.js';
import { FINISHED_BY_TYPE, LIVE_BY_TYPE } from './task-stats.sql.js';

/** Finished tasks looked at: a busy engine has more in an hour than anybody wants to wait for. */
const MOST_FINISHED = 200_000;

export interface TypeStats {
  readonly type: string;
  readonly created: number;
  readonly queued: number;
  /** Of the queued ones: their time has not come. */
  readonly delayed: number;
  readonly running: number;
  /** Of the running ones: they wait for their batches. */
  readonly waiting: number;
  readonly oldestQueuedAt: Date | null;
  readonly oldestStartedAt: Date | null;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Tasks that ended, a minute of the period. */
  readonly perMinute: number;
  readonly averageWaitS: number | null;
  readonly averageRunS: number | null;
}

export interface TaskStats {
  readonly now: Date;
  /** Finished tasks are those created since. */
  readonly since: Date;
  readonly types: readonly TypeStats[];
}

type LiveRow = Pick<TypeStats, 'type' | 'created' | 'queued' | 'delayed' | 'running' | 'waiting'> & {
  oldest_queued_at: Date | null;
  oldest_started_at: Date | null;
};

type FinishedRow = Pick<TypeStats, 'type' | 'completed' | 'failed' | 'cancelled'> & {
  average_run_s: number | null;
  average_wait_s: number | null;
  oldest: Date;
  is_cut: boolean;
};

/**
 * An answer is given again for so many times as long as it took: however many dashboards ask, and however much there is
 * to count, counting takes a twentieth of one processor. Within milliseconds, as long as there is little.
 */
const SHARED_TIMES = 20;

/** How much of each type there is to do, and how it has been going. */
@Injectable()
export class TaskStatsReader {
  /** By period. */
  private readonly shared = new Map<number, Promise<TaskStats>>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** The answer says when it was true. */
  read(periodMs: number): Promise<TaskStats> {
    const shared = this.shared.get(periodMs);
    if (shared) return shared;
    const from = performance.now();
    const forget = (): unknown => this.shared.delete(periodMs);
    const answer = this.count(periodMs);
    this.shared.set(periodMs, answer);
    answer.then(() => setTimeout(forget, SHARED_TIMES * (performance.now() - from)).unref(), forget);
    return answer;
  }

  private async count(periodMs: number): Promise<TaskStats> {
    const now = this.clock.now();
    const asked = new Date(now.getTime() - periodMs);
    const [live, finished] = await Promise.all([
      this.database.query<LiveRow>(LIVE_BY_TYPE),
      this.database.query<FinishedRow>(FINISHED_BY_TYPE, [firstIdAt(asked), MOST_FINISHED]),
    ]);
    const since = finished[0]?.is_cut ? finished[0].oldest : asked;
    const minutes = Math.max(1, now.getTime() - since.getTime()) / 60_000;
    const names = new Set([...live, ...finished].map(({ type }) => type));
    const types = [...names].sort().map((type) => {
      const unfinished = live.find((row) => row.type === type) ?? NOTHING_LIVE;
      const ended = finished.find((row) => row.type === type) ?? NOTHING_FINISHED;
      return typeStats(type, { unfinished, ended, minutes });
    });
    return { now, since, types };
  }
}

type Ended = Omit<FinishedRow, 'type' | 'oldest' | 'is_cut'>;
type Unfinished = Omit<LiveRow, 'type'>;

function typeStats(
  type: string,
  { unfinished, ended, minutes }: { unfinished: Unfinished; ended: Ended; minutes: number },
): TypeStats {
  const { completed, failed, cancelled } = ended;
  return {
    type,
    created: unfinished.created,
    queued: unfinished.queued,
    delayed: unfinished.delayed,
    running: unfinished.running,
    waiting: unfinished.waiting,
    oldestQueuedAt: unfinished.oldest_queued_at,
    oldestStartedAt: unfinished.oldest_started_at,
    completed,
    failed,
    cancelled,
    perMinute: (completed + failed + cancelled) / minutes,
    averageWaitS: ended.average_wait_s,
    averageRunS: ended.average_run_s,
  };
}

const NOTHING_LIVE: Unfinished = {
  created: 0,
  queued: 0,
  delayed: 0,
  running: 0,
  waiting: 0,
  oldest_queued_at: null,
  oldest_started_at: null,
};
const NOTHING_FINISHED: Ended = { completed: 0, failed: 0, cancelled: 0, average_run_s: null, average_wait_s: null };
