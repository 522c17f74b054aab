import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { openRedis, redisReason } from '../../../platform/redis/open-redis.js';
import type { Lane } from './lane.js';

/** Shorter takes a busy Redis for a dead one; longer keeps claims of a hung one waiting, once, before PostgreSQL takes over. */
const ANSWER_MS = 2_000;
const RETRY_MS = 250;
const RETRY_MAX_MS = 5_000;
/** A connection that held for so long was a good one: after its end the next is tried at once. */
const GOOD_AFTER_MS = 10_000;
/** What is still to be said to Redis when a process ends. */
const FAREWELL_MS = 500;

/** One connection to Redis, from being let in to the first trouble, and what BullMQ makes of it. */
export class RedisSession {
  readonly beganMs = performance.now();
  private readonly lanes = new Map<string, Lane>();

  constructor(
    readonly client: Redis,
    private readonly open: (queue: string) => Lane,
  ) {}

  lane(queue: string): Lane {
    let lane = this.lanes.get(queue);
    if (!lane) this.lanes.set(queue, (lane = this.open(queue)));
    return lane;
  }

  async end(graceMs: number): Promise<void> {
    await Promise.allSettled([...this.lanes.values()].map((lane) => lane.close(graceMs)));
    this.client.disconnect();
  }
}

export interface LinkOptions {
  readonly url: string;
  readonly prefix: string;
  /** Redis is there, or is not. `reason` says why not. Not called again for what was said last. */
  readonly onChange: (up: boolean, reason: string) => void;
}

/**
 * This process's way to Redis. At the first trouble, whichever it is, all of the session is thrown away and another is begun:
 * there is no half-broken state. Nobody ever waits for Redis to come back.
 */
export class RedisLink {
  private readonly logger = new Logger('Dispatch');
  private readonly listeners = new Set<() => void>();
  private current: RedisSession | undefined;
  private connecting: Promise<void> | undefined;
  private readonly ending = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private failures = 0;
  private saidUp: boolean | undefined;
  private closed = false;

  constructor(private readonly options: LinkOptions) {}

  /** undefined while Redis is away. */
  get session(): RedisSession | undefined {
    return this.current;
  }

  get prefix(): string {
    return this.options.prefix;
  }

  start(): void {
    if (this.connecting ?? this.closed) return;
    this.connecting = this.connect();
  }

  /** Calls `listener` whenever Redis comes or goes; gives what ends that. */
  watch(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Something that was asked of this session failed: it is over. */
  trouble(session: RedisSession, error: unknown): void {
    if (this.current !== session) return;
    this.current = undefined;
    this.end(session, 0);
    if (performance.now() - session.beganMs > GOOD_AFTER_MS) this.failures = 0;
    if (this.closed) return;
    this.say(false, redisReason(error));
    this.again();
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    const session = this.current;
    this.current = undefined;
    if (session) this.end(session, FAREWELL_MS);
    await this.connecting;
    await Promise.all(this.ending);
  }

  private async connect(): Promise<void> {
    try {
      const session = await this.begin();
      if (this.closed) {
        session.client.disconnect();
        return;
      }
      this.current = session;
      session.client.once('end', () => {
        this.trouble(session, new Error('the connection ended'));
      });
      this.say(true, '');
    } catch (error) {
      if (this.closed) return;
      this.say(false, redisReason(error));
      this.again();
    }
  }

  private async begin(): Promise<RedisSession> {
    const { url, prefix } = this.options;
    const client = await openRedis({ url, connectionName: 'photosafe-dispatch', answerMs: ANSWER_MS });
    try {
      const { Lane } = await import('./lane.js'); // and with it BullMQ
      // A replica, a full memory or a missing right shows here, and not with the first task.
      await client.set(`${prefix}:probe`, '', 'PX', ANSWER_MS);
      if (client.status !== 'ready') throw new Error('the connection ended');
      return new RedisSession(client, (queue) => new Lane(queue, client, prefix));
    } catch (error) {
      client.disconnect();
      throw error;
    }
  }

  private again(): void {
    const longest = Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** this.failures);
    this.failures += 1;
    const waitMs = longest * (0.5 + Math.random() / 2);
    this.timer = setTimeout(() => {
      this.connecting = this.connect();
    }, waitMs);
  }

  private end(session: RedisSession, graceMs: number): void {
    const ending = session.end(graceMs).finally(() => this.ending.delete(ending));
    this.ending.add(ending);
  }

  private say(up: boolean, reason: string): void {
    if (this.saidUp !== up) {
      this.saidUp = up;
      if (up) this.logger.log({ message: 'Redis carries the tasks to the workers' });
      else this.logger.warn({ message: 'Redis is away: workers take their tasks from PostgreSQL meanwhile', reason });
      this.options.onChange(up, reason);
    }
    for (const listener of this.listeners) listener();
  }
}
