import { Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { WakeablePause } from '../../../platform/clock/wakeable-pause.js';
import type { EnginePool } from '../../queue/engine-pool.js';
import type { Wakeup, WakeupListener } from '../../queue/wakeup.js';
import type { DispatchMetrics } from '../dispatch-metrics.js';
import { READY_LINE } from '../dispatch.sql.js';
import type { Carried } from './carried.js';
import type { TaskInLine } from './job.js';
import type { Lane } from './lane.js';
import type { RedisLink, RedisSession } from './redis-link.js';

/** Without a notice the line is looked at so often, give or take a quarter: what Redis lost, it has again after that. */
const SWEEP_MS = 1_000;
/** While a line is longer than what Redis is given of it: how often to see whether Redis wants more, or something is urgent. */
const LONG_LINE_MS = 100;
/** Notices that come closer together than this share a look. */
const GATHER_MS = 5;
/** A feeder that is not heard of for so long is followed by another. */
const LEADERSHIP_MS = 3_000;
/**
 * So much of the line, about, is in Redis. Less makes workers wait for the feeder, more fills the memory of Redis with
 * what is in PostgreSQL anyway, and keeps what is more urgent or older than it behind what was offered before.
 */
const DEPTH = 5_000;
/** Tasks a statement, and a round trip to Redis. */
const PAGE = 1_000;
/** Looked at where Redis has enough: something urgent, or something lost, is among the first. */
const HEAD = 200;

/**
 * Gives Redis the head of each queue's line of ready tasks, in the order of the line: at every notice that something
 * became ready, whoever caused it and however, and once a second. What Redis knows is asked of Redis each time, so that
 * nothing needs to be remembered here, and a Redis that lost everything is refilled like one that lost nothing. One
 * process does it for all; were there two, they would offer the same jobs under the same ids, which are one job.
 *
 * Nothing is offered where a task is enqueued: that would have to wait for Redis, or to fail with it.
 */
export class Feeder implements WakeupListener {
  private readonly logger = new Logger('Dispatch');
  private readonly id = randomUUID();
  private readonly told = new Set<string>();
  private readonly long = new Set<string>();
  private readonly pause = new WakeablePause();
  private isDeaf = false;
  private done: Promise<void> | undefined;
  private stopped = false;
  private sweepAtMs = 0;
  private longAtMs = 0;

  constructor(
    private readonly pool: EnginePool,
    private readonly wakeup: Wakeup,
    private readonly link: RedisLink,
    private readonly carried: Carried,
    private readonly metrics: DispatchMetrics,
  ) {}

  start(): void {
    if (this.done ?? this.stopped) return;
    this.done = this.loop();
    void this.wakeup.listen(this);
    this.link.watch(() => {
      this.onResync();
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.wakeup.ignore(this);
    this.notice();
    await this.done;
  }

  onQueue(queue: string): void {
    this.told.add(queue);
    this.notice();
  }

  onCancel(): void {
    // A job whose task is cancelled is dropped by whoever is given it.
  }

  onResync(): void {
    this.sweepAtMs = 0;
    this.notice();
  }

  private async loop(): Promise<void> {
    while (this.going()) {
      const { session } = this.link;
      const due = this.due();
      if (session) await this.feed(session, due);
      const [ms, isDeaf] = this.nextPause();
      this.isDeaf = isDeaf;
      await this.pause.for(Math.max(0, ms));
    }
    const { session } = this.link;
    if (session) await this.abdicate(session).catch(() => undefined);
  }

  private going(): boolean {
    return !this.stopped;
  }

  /** `all`, or which queues to look at now, and whether that is because something became ready in them. */
  private due(): 'all' | Map<string, boolean> {
    const now = performance.now();
    if (now >= this.sweepAtMs) {
      this.sweepAtMs = now + SWEEP_MS * (0.75 + Math.random() / 2);
      this.told.clear();
      return 'all';
    }
    const longOnesToo = now >= this.longAtMs;
    if (longOnesToo) this.longAtMs = now + LONG_LINE_MS;
    const due = new Map<string, boolean>();
    if (longOnesToo) for (const queue of this.long) due.set(queue, false);
    for (const queue of this.told) {
      if (!longOnesToo && this.long.has(queue)) continue;
      this.told.delete(queue);
      due.set(queue, true);
    }
    return due;
  }

  /** How long to sleep, and whether to hear no notices meanwhile. */
  private nextPause(): [number, boolean] {
    const now = performance.now();
    if ([...this.told].some((queue) => !this.long.has(queue))) return [GATHER_MS, true];
    const untilSweepMs = this.sweepAtMs - now;
    return [this.long.size > 0 ? Math.min(this.longAtMs - now, untilSweepMs) : untilSweepMs, false];
  }

  private async feed(session: RedisSession, due: 'all' | Map<string, boolean>): Promise<void> {
    if (due !== 'all' && due.size === 0) return;
    try {
      await this.carried.refresh();
      if (!(await this.leads(session))) return;
      const looks = due === 'all' ? this.carried.queues().map((queue) => [queue, true] as const) : due;
      for (const [queue, isTold] of looks) await this.feedQueue(session.lane(queue), isTold);
    } catch (error) {
      if (this.stopped) return;
      // Either of the two did not answer. If it was Redis, the link finds out; if it was PostgreSQL, nobody can work.
      this.logger.debug({ message: 'ready tasks not offered, trying again', reason: String(error) });
      await session.client.ping().catch((reason: unknown) => {
        this.link.trouble(session, reason);
      });
    }
  }

  /** Page by page, until Redis has enough, or all of it. Where it has enough, only the head, and only when `isTold`. */
  private async feedQueue(lane: Lane, isTold: boolean): Promise<void> {
    const isLow = (await lane.length()) < DEPTH / 2;
    if (!isLow && !isTold) return;
    const types = this.carried.typesOf(lane.name);
    const names = types.map(({ name }) => name);
    const versions = types.map(({ version }) => version);
    const [most, size] = isLow ? [DEPTH, PAGE] : [HEAD, HEAD];
    let last: TaskInLine | undefined;
    let isLong = true;
    this.metrics.sweeps.inc();
    for (let seen = 0; seen < most && isLong; seen += size) {
      const values = [lane.name, names, versions, size, last?.rank ?? null, last?.id ?? null];
      const page = await this.pool.prepared.query<TaskInLine>(READY_LINE, values);
      if (page.length > 0) this.metrics.offered.inc(await lane.offer(page));
      last = page.at(-1);
      isLong = page.length === size;
    }
    if (isLong) this.long.add(lane.name);
    else this.long.delete(lane.name);
  }

  /** Whether it is this process that feeds: the key in Redis names the one, and expires when that is not heard of. */
  private async leads({ client }: RedisSession): Promise<boolean> {
    const key = this.leaderKey();
    if ((await client.set(key, this.id, 'PX', LEADERSHIP_MS, 'NX')) === 'OK') return true;
    if ((await client.get(key)) !== this.id) return false;
    await client.pexpire(key, LEADERSHIP_MS);
    return true;
  }

  private async abdicate({ client }: RedisSession): Promise<void> {
    if ((await client.get(this.leaderKey())) === this.id) await client.del(this.leaderKey());
  }

  private leaderKey(): string {
    return `${this.link.prefix}:feeder`;
  }

  /** Wakes it for a notice, unless it is to hear none. */
  private notice(): void {
    if (!this.isDeaf || this.stopped) this.pause.wake();
  }
}
