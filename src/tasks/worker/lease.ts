import { Logger } from '@nestjs/common';
import { hostname } from 'node:os';
import type { Client, QueryConfig } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { WakeablePause } from '../../platform/clock/wakeable-pause.js';
import type { Database } from '../../platform/database/database.js';
import type { Heard } from '../../platform/database/open-connections.js';
import { PLANNER } from '../queue/engine-pool.js';
import {
  HOLD_LEASE_LOCK,
  LEASE_LOCK_CLASS,
  REGISTER_WORKER,
  RENEW_LEASE,
  RESIGN,
  SAY_VERSIONS,
} from '../queue/lease.sql.js';

export interface LeaseTimes {
  /**
   * How long a worker may be silent before its tasks go to others. Shorter: a paused process or a slow disk loses its
   * work for nothing. Longer: a hung machine's tasks wait that long.
   */
  readonly leaseMs: number;
  /** How often it is renewed; a third or less, so that one lost renewal costs nothing. */
  readonly renewMs: number;
}

/** A kind of task that the worker can do, up to this version. */
export interface KnownType {
  readonly name: string;
  readonly version: number;
}

/** A task that the database says is ours. */
export interface HeldTask {
  readonly id: string;
  readonly fence: number;
  readonly hasParent: boolean;
  readonly workflowId: string | null;
}

export interface LeaseHolder {
  /** Tasks in flight, to be checked for cancellation with each renewal. */
  inFlight(): string[];
  onCancelled(taskIds: readonly string[]): void;
  /** Tasks that this worker has held for longer than a lease, by the database's account. */
  onHeld(tasks: readonly HeldTask[]): void;
  /** The lease is gone: stop everything, the tasks are someone else's. */
  onLost(): void;
}

/** Part of the lease that is not trusted: the worker stops by itself before others may take over. */
const SAFETY_MARGIN_MS = 500;
/**
 * How soon to try again without a connection, or without the lock: a connection that broke unnoticed holds it until the server
 * finds out, and from then on nobody does. Others tolerate that for no longer than CONNECTION_GRACE_MS.
 */
const RECONNECT_MS = 200;
/**
 * After which part of the lease an answer is late. By then those that were on their way when the network failed have come; the
 * rest, until it is given up at half the lease, is for answers on other connections to come.
 */
const LATE_PART = 8;
/**
 * What a process that was paused for longer than its lease gets to renew it: nobody may have noticed. Larger lets
 * handlers go on whose tasks are someone else's.
 */
const LAST_CHANCE_MS = 1_000;

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
  private locked = false;
  private trustedUntilMs = 0;
  private ended = false;
  /** A renewal has failed since one last succeeded. */
  private failing = false;
  /** What connections had received when the first of those was late. */
  private heardThen: Heard | undefined;
  private loop: Promise<void> | undefined;
  private readonly pause = new WakeablePause();

  constructor(
    private readonly database: Database,
    private readonly times: LeaseTimes,
    private readonly holder: LeaseHolder,
  ) {}

  /** Whether tasks may be claimed. */
  get held(): boolean {
    return !this.ended && performance.now() < this.trustedUntilMs;
  }

  async acquire(
    queues: Readonly<Record<string, number>>,
    types: readonly KnownType[],
    isolated = false,
  ): Promise<void> {
    const client = await this.connect();
    try {
      const asked = performance.now();
      const [row] = await this.ask<{ lock_key: number }>(client, REGISTER_WORKER, [
        this.workerId,
        hostname(),
        process.pid,
        JSON.stringify(queues),
        types.map(({ name }) => name),
        this.times.leaseMs,
        isolated,
      ]);
      await this.ask(client, SAY_VERSIONS, [this.workerId, types.map(({ version }) => version)]);
      this.lockKey = row?.lock_key ?? 0;
      await this.lock(client);
      this.trust(asked);
    } catch (error) {
      this.drop();
      throw error;
    }
    this.loop = this.keep();
  }

  /** Lets go: what is still held is free for others at once. */
  async resign(): Promise<void> {
    this.ended = true;
    this.pause.wake();
    if (this.client) await this.loop;
    try {
      if (!this.client) throw new Error('there is no connection');
      await this.ask(this.client, RESIGN, [this.workerId]);
      await this.client.end();
    } catch (error) {
      this.logger.warn({ message: 'could not resign; the lease runs out by itself', err: error });
      this.drop();
    }
  }

  private async keep(): Promise<void> {
    while (this.alive()) {
      await this.pause.for(this.locked ? this.times.renewMs : RECONNECT_MS);
      if (!this.alive()) return;
      let heard: Heard | undefined;
      const late = setTimeout(() => (heard = this.database.heard()), this.times.leaseMs / LATE_PART);
      try {
        await this.inTime(this.renew());
        this.leaveSilentConnections();
      } catch (error) {
        this.drop();
        if (!this.failing) this.logger.warn({ message: 'lease not renewed, trying again', err: error });
        this.failing = true;
        this.heardThen ??= heard;
        if (performance.now() >= this.trustedUntilMs) this.lose('it could not be renewed in time');
      } finally {
        clearTimeout(late);
      }
    }
  }

  private alive(): boolean {
    return !this.ended;
  }

  private async renew(): Promise<void> {
    const client = this.client ?? (await this.connect());
    if (!this.locked) await this.lock(client);
    const asked = performance.now();
    const values = [this.workerId, this.times.leaseMs, this.holder.inFlight()];
    const [renewed] = await this.ask<{ cancelled: string[]; held: HeldTask[] }>(client, RENEW_LEASE, values);
    if (!this.alive()) return;
    if (!renewed) {
      this.lose('it was taken away');
      return;
    }
    this.trust(asked);
    if (renewed.cancelled.length > 0) this.holder.onCancelled(renewed.cancelled);
    if (renewed.held.length > 0) this.holder.onHeld(renewed.held);
  }

  private async lock(client: Client): Promise<void> {
    const [row] = await this.ask<{ locked: boolean }>(client, HOLD_LEASE_LOCK, [LEASE_LOCK_CLASS, this.lockKey]);
    this.locked = row?.locked ?? false;
  }

  private async connect(): Promise<Client> {
    const client = await this.database.connect('photosafe-lease', PLANNER);
    client.once('end', () => {
      if (this.client !== client) return;
      this.client = undefined;
      this.locked = false;
      this.pause.wake(); // connects anew at once: others see that the lock is gone
    });
    if (this.ended) client.connection.stream.destroy();
    this.client = client;
    this.locked = false;
    return client;
  }

  private async ask<Row extends object>(client: Client, text: string, values: readonly unknown[]): Promise<Row[]> {
    // A half-open connection answers nothing at all.
    const config: QueryConfig & { query_timeout: number } = {
      text,
      values: [...values],
      query_timeout: this.times.leaseMs / 2,
    };
    return (await client.query<Row>(config)).rows;
  }

  /** Rejects when the lease ends first: a connection may be a long time coming. Others take over a safety margin later. */
  private async inTime(renewal: Promise<void>): Promise<void> {
    const leftMs = this.trustedUntilMs - performance.now();
    const waitMs = leftMs > 0 ? Math.max(leftMs, SAFETY_MARGIN_MS / 2) : LAST_CHANCE_MS;
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no renewal within ${String(Math.round(waitMs))} ms`));
      }, waitMs);
    });
    await Promise.race([renewal, tooLate]).finally(() => {
      clearTimeout(timer);
    });
  }

  /** Gives the connection up without waiting for the other side, which may be gone. */
  private drop(): void {
    const { client } = this;
    this.client = undefined;
    this.locked = false;
    client?.end().catch(ignore);
    client?.connection.stream.destroy();
  }

  private trust(askedMs: number): void {
    this.trustedUntilMs = askedMs + this.times.leaseMs - SAFETY_MARGIN_MS;
  }

  /**
   * A renewal was not answered, and a new connection is: what else has been silent since would be waited for in vain, and
   * outcomes with it. Not what answers, and nothing where a renewal failed at once: that was no silence. Likewise when the
   * lease is lost meanwhile: the next one is to begin with connections that work.
   */
  private leaveSilentConnections(): void {
    if (this.heardThen) this.database.breakSilentSince(this.heardThen);
    this.heardThen = undefined;
    this.failing = false;
  }

  private lose(because: string): void {
    if (this.ended) return;
    this.leaveSilentConnections();
    this.ended = true;
    this.logger.error({ message: 'lease lost', because, workerId: this.workerId });
    this.drop();
    this.holder.onLost();
  }
}

const ignore = (): void => undefined;
