import type { EnginePool } from '../../queue/engine-pool.js';
import type { ClaimedRow } from '../../worker/attempt.js';
import { QueueLoop, type QueueLoopOptions } from '../../worker/queue-loop.js';
import type { DispatchMetrics } from '../dispatch-metrics.js';
import { CLAIM_OFFERED } from '../dispatch.sql.js';
import type { TaskSource } from '../dispatcher.js';
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
export class BullmqSource implements TaskSource {
  private readonly loop: QueueLoop;
  private unwatch: (() => void) | undefined;
  private lineDueMs = 0;
  private lineHadMore = false;
  private waitingForJobs = false;

  constructor(
    private readonly parts: SourceParts,
    private readonly options: QueueLoopOptions,
  ) {
    this.loop = new QueueLoop(parts.pool, { ...options, claim: (limit) => this.claim(limit) });
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

  /** Gives nothing when the database did not answer. */
  private async claim(limit: number): Promise<ClaimedRow[] | undefined> {
    const { session } = this.parts.link;
    if (!session) return this.fromLine(limit);
    const first = await this.fromLineIfDue(limit);
    if (first?.length === limit) return first;
    const second = await this.fromRedis(session, limit - (first?.length ?? 0));
    // Whatever the line gives: nobody else would wake the loop for what Redis has next.
    if (second === 'nothing') this.waitForJobs(session);
    if (second === 'trouble' || (second === 'nothing' && this.lineHadMore)) {
      return joined(first, await this.fromLine(limit - (first?.length ?? 0)));
    }
    return joined(first, second === 'nothing' ? [] : second);
  }

  private async fromLineIfDue(limit: number): Promise<ClaimedRow[] | undefined> {
    const { queue, types } = this.options;
    await this.parts.carried.refresh().catch(() => undefined);
    if (performance.now() >= this.lineDueMs) {
      this.lineDueMs = performance.now() + this.options.pollMs;
      return this.fromLine(limit);
    }
    const leftOut = this.parts.carried.leftOut(queue, types);
    return leftOut.length > 0 ? this.counted('postgres', await this.loop.claim(limit, leftOut)) : [];
  }

  private async fromLine(limit: number): Promise<ClaimedRow[] | undefined> {
    const rows = await this.loop.claim(limit);
    this.lineHadMore = rows?.length === limit;
    return this.counted('postgres', rows);
  }

  /** `nothing`: Redis has no job; an empty list: it had some, and none was a ready task. */
  private async fromRedis(
    session: RedisSession,
    limit: number,
  ): Promise<ClaimedRow[] | undefined | 'nothing' | 'trouble'> {
    const { queue, types, workerId } = this.options;
    const lane = session.lane(queue);
    const jobs = await lane.take(limit).catch((error: unknown) => {
      this.parts.link.trouble(session, error);
      return undefined;
    });
    if (!jobs) return 'trouble';
    if (jobs.length === 0) return 'nothing';
    const ids = jobs.flatMap(({ id = '' }) => taskIdOf(id) ?? []);
    const names = types.map(({ name }) => name);
    const versions = types.map(({ version }) => version);
    const rows = await this.loop.ask(CLAIM_OFFERED, [workerId, ids, queue, names, versions]);
    lane.finish(jobs);
    if (rows) this.parts.metrics.dropped.inc(jobs.length - rows.length);
    // Fewer than asked for does not mean that there are no more: some were dropped, or the last round was not full.
    this.loop.hint();
    return this.counted('redis', rows);
  }

  private counted(via: 'redis' | 'postgres', rows: ClaimedRow[] | undefined): ClaimedRow[] | undefined {
    if (rows?.length) this.parts.metrics.claimed.inc({ via }, rows.length);
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

/** What was claimed counts, even where another statement was not answered. */
function joined(first: ClaimedRow[] | undefined, second: ClaimedRow[] | undefined): ClaimedRow[] | undefined {
  if (!first?.length) return second;
  return second ? [...first, ...second] : first;
}
