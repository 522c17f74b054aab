import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import type { Client, QueryConfig } from 'pg';
import { Database } from '../../platform/database/database.js';
import type { TaskType } from '../define-task.js';
import type { ClaimedRow } from '../worker/attempt.js';
import { EnginePool } from './engine-pool.js';

const CHANNEL = 'photosafe_tasks';
/** At most one notice a queue in this time; shorter costs commits, longer costs latency to other processes only. */
const NOTICE_INTERVAL_MS = 5;
const RECONNECT_MAX_MS = 5_000;
const ANSWER_MS = 10_000;

/** A free slot of a worker that has nothing to do: reserved for one task, until it is taken or declined. */
export interface Opening {
  readonly workerId: string;
  /** Starts a task that was added as this worker's own. */
  take(row: ClaimedRow): void;
  decline(): void;
}

export interface WakeupListener {
  /** There may be ready tasks in this queue. */
  onQueue(queue: string): void;
  /** Whether a task of this type could start here at once, with nothing waiting before it. */
  opening?(type: TaskType): Opening | undefined;
  /** Somebody wants this running task stopped. */
  onCancel(taskId: string): void;
  /** Notices may have been missed: look at everything. */
  onResync(): void;
}

/**
 * Tells workers, in this process at once and in others by NOTIFY, that there is something to do. Notices are hints: they
 * are sent after the commit of what they announce, outside its transaction (NOTIFY inside one takes a lock for the
 * whole cluster at commit), coalesced, and may be lost. Whoever listens polls as well.
 */
@Injectable()
export class Wakeup implements BeforeApplicationShutdown {
  private readonly logger = new Logger(Wakeup.name);
  private readonly listeners = new Set<WakeupListener>();
  private readonly pending = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private lastSentMs = 0;
  private client: Client | undefined;
  private reconnect: NodeJS.Timeout | undefined;
  private closing = false;

  constructor(
    private readonly database: Database,
    private readonly pool: EnginePool,
  ) {}

  queued(queue: string): void {
    for (const listener of this.listeners) listener.onQueue(queue);
    this.notify(`queue:${queue}`);
  }

  /** A slot for one new task, if a worker of this process has nothing to do. Whoever asks takes or declines it. */
  opening(type: TaskType): Opening | undefined {
    for (const listener of this.listeners) {
      const opening = listener.opening?.(type);
      if (opening) return opening;
    }
    return undefined;
  }

  cancelled(taskId: string): void {
    for (const listener of this.listeners) listener.onCancel(taskId);
    this.notify(`cancel:${taskId}`);
  }

  /** Starts hearing other processes with the first listener. */
  async listen(listener: WakeupListener): Promise<void> {
    this.listeners.add(listener);
    if (this.listeners.size === 1) await this.connect(0);
  }

  ignore(listener: WakeupListener): void {
    this.listeners.delete(listener);
  }

  /** After the worker has handed back what it had, and before the connections close. */
  async beforeApplicationShutdown(): Promise<void> {
    this.closing = true;
    clearTimeout(this.reconnect);
    clearTimeout(this.timer);
    if (this.pending.size > 0) await this.send();
    const { client } = this;
    this.client = undefined;
    client?.end().catch(ignore);
    client?.connection.stream.destroy();
  }

  private notify(payload: string): void {
    this.pending.add(payload);
    if (this.timer ?? this.closing) return;
    const wait = Math.max(0, this.lastSentMs + NOTICE_INTERVAL_MS - performance.now());
    this.timer = setTimeout(() => void this.send(), wait);
  }

  private async send(): Promise<void> {
    this.timer = undefined;
    this.lastSentMs = performance.now();
    const payloads = [...this.pending];
    this.pending.clear();
    try {
      await this.pool.query('SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload', [CHANNEL, payloads]);
    } catch (error) {
      this.logger.debug({ message: 'notice not sent; pollers will find the work', err: error });
    }
  }

  private async connect(attempt: number): Promise<void> {
    if (this.closing || this.listeners.size === 0) return;
    let client: Client | undefined;
    try {
      client = await this.database.connect('photosafe-listener');
      await this.hear(client);
    } catch (error) {
      client?.connection.stream.destroy();
      this.logger.warn({ message: 'cannot listen for notices; polling meanwhile', err: error });
      this.again(attempt + 1);
    }
  }

  private async hear(client: Client): Promise<void> {
    client.on('notification', ({ payload }) => {
      this.dispatch(payload ?? '');
    });
    client.once('end', () => {
      if (this.client !== client) return;
      this.client = undefined;
      this.again(0);
    });
    const listen: QueryConfig & { query_timeout: number } = { text: `LISTEN ${CHANNEL}`, query_timeout: ANSWER_MS };
    await client.query(listen);
    if (this.closing) {
      client.connection.stream.destroy();
      return;
    }
    this.client = client;
    for (const listener of this.listeners) listener.onResync();
  }

  private again(attempt: number): void {
    if (this.closing) return;
    clearTimeout(this.reconnect);
    this.reconnect = setTimeout(() => void this.connect(attempt), Math.min(RECONNECT_MAX_MS, 100 * 2 ** attempt));
  }

  private dispatch(payload: string): void {
    const [kind, rest = ''] = payload.split(/:(.*)/s);
    for (const listener of this.listeners) {
      if (kind === 'queue') listener.onQueue(rest);
      else if (kind === 'cancel') listener.onCancel(rest);
    }
  }
}

const ignore = (): void => undefined;
