import type { EnginePool } from '../../queue/engine-pool.js';
import type { ClaimedRow } from '../../worker/attempt.js';
import { type Claims, QueueLoop } from '../../worker/queue-loop.js';
import type { DispatchMetrics } from '../dispatch-metrics.js';
import { CLAIM_OFFERED } from '../dispatch.sql.js';
import type { SourceOptions, TaskSource } from '../dispatcher.js';
import type { Carried } from './carried.js';
import { taskIdOf } from './job.js';
import type { RedisLink, RedisSession } from './redis-link.js';

export interface SourceParts {
  readonly pool: EnginePool;
  readonly link: RedisLink;
  readonly carried: Carried;
  readonly metrics: DispatchMetrics;
}

/**
 * One queue of a worker: the same loop over free slots as without Redis, with another answer to what is next. That is, in
 * this order,
 *
 * - the line of ready tasks in PostgreSQL, once every `pollMs`. Its head is claimed sooner or later whatever Redis does: what
 *   Redis has lost, never had, or does not hand out cannot starve;
 * - of the types that Redis does not carry, PostgreSQL's line every time;
 * - what Redis hands out;
 * - PostgreSQL's line again where Redis had nothing and that line had more than could be taken.
 *
 * While Redis is away all comes from PostgreSQL, as without it.
 */
export class BullmqSource implements TaskSource, Claims {
  private readonly loop: QueueLoop;
  private unwatch: (() => void) | undefined;
  private lineDueMs = 0;
  private lineHadMore = false;
  private waitingForJobs = false;

  constructor(
    private readonly parts: SourceParts,
    private readonly options: SourceOptions,
  ) {
    this.loop = new QueueLoop({ ...options, claims: this });
  }

  start(): void {
    this.unwatch = this.parts.link.watch(() => {
      this.loop.hint();
    });
    this.loop.start();
  }

  /** Of what Redis carries Redis will tell, once it has it: claiming that now would only be quicker than Redis. */
  hint(): void {
    const { queue, types } = this.options;
    if (!this.parts.link.session || this.parts.carried.leftOut(queue, types).length > 0) this.loop.hint();
  }

  release(): void {
    this.loop.release();
  }

  async stop(): Promise<void> {
    this.unwatch?.();
    await this.loop.stop();
  }

  get retryInMs(): number | undefined {
    return this.options.claims.retryInMs;
  }

  /** Redis carries all there is. */
  straight(): undefined {
    return undefined;
  }

  startAgain(): void {
    this.options.claims.startAgain();
  }

  async claim(limit: number): Promise<ClaimedRow[]> {
    const { session } = this.parts.link;
    if (!session) return this.fromLine(limit);
    const first = await this.fromLineIfDue(limit);
    if (first.length === limit) return first;
    try {
      return [...first, ...(await this.fromRedisOrLine(session, limit - first.length))];
    } catch (error) {
      if (first.length === 0) throw error;
      return first; // what was claimed counts, even where another statement was not answered
    }
  }

  private async fromRedisOrLine(session: RedisSession, limit: number): Promise<ClaimedRow[]> {
    const rows = await this.fromRedis(session, limit);
    // Whatever the line gives: nobody else would wake the loop for what Redis has next.
    if (rows === 'nothing') this.waitForJobs(session);
    if (rows === 'trouble' || (rows === 'nothing' && this.lineHadMore)) return this.fromLine(limit);
    return rows === 'nothing' ? [] : rows;
  }

  private async fromLineIfDue(limit: number): Promise<ClaimedRow[]> {
    const { queue, types, claims } = this.options;
    await this.parts.carried.refresh().catch(() => undefined);
    if (performance.now() >= this.lineDueMs) return this.fromLine(limit);
    const leftOut = new Set(this.parts.carried.leftOut(queue, types).map(({ name }) => name));
    return leftOut.size > 0 ? this.counted('postgres', await claims.claim(limit, leftOut)) : [];
  }

  private async fromLine(limit: number): Promise<ClaimedRow[]> {
    const { claims, pollMs } = this.options;
    this.lineDueMs = performance.now() + pollMs; // a look is a look, also one for want of Redis
    const rows = await claims.claim(limit);
    this.lineHadMore = rows.length === limit;
    return this.counted('postgres', rows);
  }

  /** `nothing`: Redis has no job; an empty list: it had some, and none was a ready task. */
  private async fromRedis(session: RedisSession, limit: number): Promise<ClaimedRow[] | 'nothing' | 'trouble'> {
    const { queue, workerId, claims } = this.options;
    const plain = await claims.plain();
    if (!plain) return 'nothing'; // the queue has limits now, of which Redis knows nothing
    const lane = session.lane(queue);
    const jobs = await lane.take(limit).catch((error: unknown) => {
      this.parts.link.trouble(session, error);
      return undefined;
    });
    if (!jobs) return 'trouble';
    if (jobs.length === 0) return 'nothing';
    const ids = jobs.flatMap(({ id = '' }) => taskIdOf(id) ?? []);
    const values = [workerId, ids, queue, plain.names, plain.versions, plain.revision];
    const rows = await this.parts.pool.prepared.query<ClaimedRow>(CLAIM_OFFERED, values).finally(() => {
      lane.finish(jobs);
    });
    this.parts.metrics.dropped.inc(jobs.length - rows.length);
    // Fewer than asked for does not mean that there are no more: some were dropped, or the last round was not full.
    this.loop.hint();
    return this.counted('redis', rows);
  }

  private counted(via: 'redis' | 'postgres', rows: ClaimedRow[]): ClaimedRow[] {
    if (rows.length > 0) this.parts.metrics.claimed.inc({ via }, rows.length);
    return rows;
  }

  /** Meanwhile the loop sleeps, with room to spare. */
  private waitForJobs(session: RedisSession): void {
    if (this.waitingForJobs) return;
    this.waitingForJobs = true;
    void session
      .lane(this.options.queue)
      .wait()
      .catch((error: unknown) => {
        this.parts.link.trouble(session, error);
      })
      .finally(() => {
        this.waitingForJobs = false;
        this.loop.hint();
      });
  }
}
