import { Injectable } from '@nestjs/common';
import { EnginePool } from '../queue/engine-pool.js';
import { SHARE_LIMITS } from '../queue/lanes.sql.js';
import { Wakeup } from '../queue/wakeup.js';
import { effectiveLimits, type Limits, type LimitScope, type LimitsOverride } from './limits.js';
import { ALL_LIMITS, REVISION } from './limits.sql.js';

/** A change is noticed after so long when its notice is lost. Until then claims get nothing: they are refused by revision. */
const MAX_AGE_MS = 2_000;

export interface Pause {
  readonly at: Date;
  readonly by: string;
  readonly reason: string | null;
}

/** What is set for a queue or a type. */
export interface Limited {
  readonly scope: LimitScope;
  readonly name: string;
  readonly declared: Limits;
  readonly overridden: LimitsOverride;
  /** What holds. */
  readonly limits: Limits;
  readonly pause: Pause | undefined;
  readonly changedAt: Date;
  readonly changedBy: string;
  /** Of a type: all its tasks are in its own lane. */
  readonly settled: boolean;
}

interface LimitedRow {
  scope: LimitScope;
  name: string;
  declared: Limits;
  overridden: LimitsOverride;
  pausedAt: Date | null;
  pausedBy: string | null;
  pauseReason: string | null;
  changedAt: Date;
  changedBy: string;
  settled: boolean;
}

/** The limits of one revision. Every type in it has a lane of its own. */
export interface LimitsSnapshot {
  readonly revision: string;
  readonly queues: ReadonlyMap<string, Limited>;
  readonly types: ReadonlyMap<string, Limited>;
}

const NOTHING: LimitsSnapshot = { revision: '-1', queues: new Map(), types: new Map() };

/** This process's copy of the limits: claims are refused when it is out of date, so it may be. */
@Injectable()
export class LimitsView {
  private snapshot = NOTHING;
  private checkedMs = -Infinity;
  private loading: Promise<void> | undefined;
  /** Goes up whenever somebody says that limits have changed, or what they count. */
  news = 0;

  constructor(
    private readonly pool: EnginePool,
    wakeup: Wakeup,
  ) {
    wakeup.onLimits = () => {
      this.news += 1;
      this.checkedMs = -Infinity;
    };
  }

  /** As it was when last asked for. */
  get current(): LimitsSnapshot {
    return this.snapshot;
  }

  async fresh(): Promise<LimitsSnapshot> {
    if (performance.now() - this.checkedMs > MAX_AGE_MS) {
      await (this.loading ??= this.check().finally(() => (this.loading = undefined)));
    }
    return this.snapshot;
  }

  /** Reads them anew, whatever was noticed. */
  async reload(): Promise<LimitsSnapshot> {
    this.checkedMs = -Infinity;
    await this.loading;
    return this.fresh();
  }

  private async check(): Promise<void> {
    const checkedMs = performance.now();
    const { news } = this;
    const [row] = await this.pool.prepared.query<{ revision: string }>(REVISION);
    if (row?.revision !== this.snapshot.revision) this.snapshot = await this.load();
    if (news === this.news) this.checkedMs = checkedMs; // else something has changed meanwhile: look again
  }

  /** The revision is read first, and nobody changes anything before the rest is. */
  private load(): Promise<LimitsSnapshot> {
    return this.pool.transaction(async (sql) => {
      await sql.query(SHARE_LIMITS);
      const [row] = await sql.query<{ revision: string }>(REVISION);
      const all = (await sql.query<LimitedRow>(ALL_LIMITS)).map(limitedOf);
      const of = (scope: LimitScope): Map<string, Limited> =>
        new Map(all.filter((one) => one.scope === scope).map((one) => [one.name, one]));
      return { revision: row?.revision ?? '-1', queues: of('queue'), types: of('type') };
    });
  }
}

const limitedOf = ({ pausedAt, pausedBy, pauseReason, ...row }: LimitedRow): Limited => ({
  ...row,
  limits: effectiveLimits(row.declared, row.overridden),
  pause: pausedAt === null ? undefined : { at: pausedAt, by: pausedBy ?? '', reason: pauseReason },
});
