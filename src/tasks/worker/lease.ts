import { Logger } from '@nestjs/common';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, QueryConfig } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../../platform/database/database.js';
import { HOLD_LEASE_LOCK, LEASE_LOCK_CLASS, REGISTER_WORKER, RENEW_LEASE, RESIGN } from '../queue/lease.sql.js';

export interface LeaseTimes {
  /**
   * How long a worker may be silent before its tasks go to others. Shorter: a paused process or a slow disk loses its
   * work for nothing. Longer: a hung machine's tasks wait that long.
   */
  readonly leaseMs: number;
  /** How often it is renewed; a third or less, so that one lost renewal costs nothing. */
  readonly renewMs: number;
}

export interface LeaseHolder {
  /** Tasks in flight, to be checked for cancellation with each renewal. */
  inFlight(): string[];
  onCancelled(taskIds: readonly string[]): void;
  /** The lease is gone: stop everything, the tasks are someone else's. */
  onLost(): void;
}

/** Part of the lease that is not trusted: the worker stops by itself before others may take over. */
const SAFETY_MARGIN_MS = 500;
const RECONNECT_MS = 200;

/**
 * One worker's right to hold tasks: a row that is renewed on a connection of its own, whose session also holds an
 * advisory lock. If the process dies the server drops the lock and others see it at once; if only the network or the
 * process hangs, the row runs out. Time is counted from before a renewal is sent, so the worker always believes its
 * lease to be shorter than it is.
 */
export class Lease {
  readonly workerId = uuidv7();
  private readonly logger = new Logger(Lease.name);
  private client: Client | undefined;
  private lockKey = 0;
  private trustedUntilMs = 0;
  private ended = false;
  private loop: Promise<void> | undefined;
  private readonly stopping = new AbortController();

  constructor(
    private readonly database: Database,
    private readonly times: LeaseTimes,
    private readonly holder: LeaseHolder,
  ) {}

  /** Whether tasks may be claimed. */
  get held(): boolean {
    return !this.ended && performance.now() < this.trustedUntilMs;
  }

  async acquire(queues: Readonly<Record<string, number>>, types: readonly string[]): Promise<void> {
    const client = await this.connect();
    const asked = performance.now();
    const { rows } = await client.query<{ lock_key: number }>(REGISTER_WORKER, [
      this.workerId,
      hostname(),
      process.pid,
      JSON.stringify(queues),
      types,
      this.times.leaseMs,
    ]);
    this.lockKey = rows[0]?.lock_key ?? 0;
    await client.query(HOLD_LEASE_LOCK, [LEASE_LOCK_CLASS, this.lockKey]);
    this.trust(asked);
    this.loop = this.keep();
  }

  /** Lets go: what is still held is free for others at once. */
  async resign(): Promise<void> {
    this.ended = true;
    this.stopping.abort();
    await this.loop;
    await this.client?.query(RESIGN, [this.workerId]).catch((error: unknown) => {
      this.logger.warn({ message: 'could not resign; the lease runs out by itself', err: error });
    });
    await this.client?.end().catch(() => undefined);
  }

  private async keep(): Promise<void> {
    while (this.alive()) {
      await sleep(this.client ? this.times.renewMs : RECONNECT_MS, undefined, { signal: this.stopping.signal }).catch(
        () => undefined,
      );
      if (!this.alive()) return;
      try {
        await this.renew();
      } catch (error) {
        this.logger.warn({ message: 'lease not renewed', err: error });
        await this.client?.end().catch(() => undefined);
        this.client = undefined;
        if (performance.now() >= this.trustedUntilMs) this.lose('it could not be renewed in time');
      }
    }
  }

  private alive(): boolean {
    return !this.ended;
  }

  private async renew(): Promise<void> {
    const fresh = this.client === undefined;
    const client = this.client ?? (await this.connect());
    if (fresh) await client.query('SELECT pg_try_advisory_lock($1, $2)', [LEASE_LOCK_CLASS, this.lockKey]);
    const asked = performance.now();
    const { rows } = await client.query<{ cancelled: string[] }>({
      text: RENEW_LEASE,
      values: [this.workerId, this.times.leaseMs, this.holder.inFlight()],
      query_timeout: this.times.leaseMs / 2, // a half-open connection answers nothing at all
    } as QueryConfig);
    const renewed = rows[0];
    if (!renewed) {
      this.lose('it was taken away');
      return;
    }
    if (performance.now() - asked < this.times.leaseMs) this.trust(asked);
    if (renewed.cancelled.length > 0) this.holder.onCancelled(renewed.cancelled);
  }

  private async connect(): Promise<Client> {
    const client = await this.database.connect('photosafe-lease');
    client.on('error', (error) => {
      this.logger.warn({ message: 'lease connection lost', err: error });
    });
    client.once('end', () => {
      if (this.client === client) this.client = undefined;
    });
    this.client = client;
    return client;
  }

  private trust(askedMs: number): void {
    this.trustedUntilMs = askedMs + this.times.leaseMs - SAFETY_MARGIN_MS;
  }

  private lose(because: string): void {
    if (this.ended) return;
    this.ended = true;
    this.logger.error({ message: 'lease lost', because, workerId: this.workerId });
    void this.client?.end().catch(() => undefined);
    this.holder.onLost();
  }
}
