import { Injectable, Logger } from '@nestjs/common';
import { IsolationMetrics } from '../isolation/isolation-metrics.js';
import { type FreedTask, Orphans, type QuarantinedTask, type Rescued } from '../isolation/orphans.js';
import { Canceller } from '../queue/canceller.js';
import { EnginePool } from '../queue/engine-pool.js';
import { LEASE_LOCK_CLASS, LIST_WORKERS, RESCUE_LOCK, STRIKE_OFF_WORKERS } from '../queue/lease.sql.js';
import type { Sql } from '../../platform/database/transaction.js';
import { QueueUpkeep } from './queue-upkeep.js';
import { type GoneWorker as Gone, type WatchedWorker, WorkerWatch } from './worker-watch.js';

/** How often dead workers and due tasks are looked for. A few cheap statements each. */
const TICK_MS = 1_000;
/** How soon again while a worker's connection is missing. */
const DOUBT_MS = 300;
/** Due tasks come in crowds; looking more often would not wake them sooner. */
const MIN_TICK_MS = 10;

interface RegisteredWorker extends WatchedWorker {
  hostname: string;
  pid: number;
}

/**
 * Every worker does this for all: gives the tasks of dead workers to the living, wakes delayed tasks when due, and fails
 * those that have not started in time.
 */
@Injectable()
export class Rescuer {
  private readonly logger = new Logger(Rescuer.name);
  private readonly watch = new WorkerWatch<RegisteredWorker>();
  private nextRescueMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = true;

  constructor(
    private readonly pool: EnginePool,
    private readonly canceller: Canceller,
    private readonly orphans: Orphans,
    private readonly metrics: IsolationMetrics,
    private readonly upkeep: QueueUpkeep,
  ) {}

  /** A process may have two reasons to: its own worker, and the external ones that it answers. */
  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    const tick = async (): Promise<void> => {
      const nextMs = await this.tick();
      if (this.stopped) return;
      this.timer = setTimeout(() => {
        this.running = tick();
      }, nextMs);
    };
    this.running = tick();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
    await this.upkeep.stop();
  }

  /** Gives when to look again, in milliseconds. */
  private async tick(): Promise<number> {
    try {
      const now = performance.now();
      if (now >= this.nextRescueMs) {
        await this.rescue(now);
        await this.upkeep.endOverdue();
        await this.upkeep.moveToLanes();
        this.upkeep.goOnCancelling();
        this.nextRescueMs = now + (this.watch.inDoubt ? DOUBT_MS : TICK_MS);
      }
      const dueMs = (await this.upkeep.promote()) ?? TICK_MS;
      return Math.max(MIN_TICK_MS, Math.min(dueMs, this.nextRescueMs - performance.now()));
    } catch (error) {
      this.watch.forget();
      if (!this.stopped) this.logger.warn({ message: 'rescue failed, trying again', err: error });
      return TICK_MS;
    }
  }

  private async rescue(now: number): Promise<void> {
    const workers = await this.pool.query<RegisteredWorker>(LIST_WORKERS, [LEASE_LOCK_CLASS]);
    const gone = this.watch.look(workers, { askedMs: now, answeredMs: performance.now() });
    const { struckOff, rescued } = await this.pool.transaction(async (sql) => {
      const [lock] = await sql.query<{ locked: boolean }>(RESCUE_LOCK, [LEASE_LOCK_CLASS]);
      if (!lock?.locked) return { struckOff: new Set<string>(), rescued: undefined };
      return { struckOff: await strikeOff(sql, gone), rescued: await this.orphans.release(sql) };
    });
    for (const { worker, because } of gone.filter(({ worker }) => struckOff.has(worker.id))) {
      const { id: workerId, hostname: host, pid } = worker;
      this.metrics.workersLost.inc();
      this.logger.warn({ message: 'worker lost', workerId, host, pid, because });
    }
    if (rescued) await this.announce(rescued);
  }

  private async announce({ freed, quarantined, queues }: Rescued): Promise<void> {
    for (const task of quarantined) {
      this.metrics.quarantined.inc({ type: this.metrics.types.of(task.type) });
      this.logger.error({ message: 'task quarantined: it kills its process', ...logFieldsOf(task) });
    }
    this.metrics.rescued.inc(freed.length);
    for (const task of freed) {
      this.logger.warn({ message: 'task rescued from a lost worker', ...logFieldsOf(task), suspect: !task.ready });
    }
    // What was quarantined took a place under limits, too.
    const others = [...freed, ...quarantined].map((task) => task.queue);
    this.canceller.announce({ queues: new Set([...queues, ...others]), ended: [], asked: [] });
    for (const task of freed) {
      if (task.cancel) await this.canceller.cancel(task.id, task.cancel_requested_by ?? 'engine');
    }
  }
}

/** What the lines of an attempt carry; the rescuer runs outside of it. */
const logFieldsOf = ({ id, type, version, attempt }: FreedTask | QuarantinedTask): Record<string, unknown> => ({
  jobId: id,
  taskName: type,
  taskVersion: version,
  attempt,
});

async function strikeOff(sql: Sql, gone: readonly Gone<RegisteredWorker>[]): Promise<Set<string>> {
  if (gone.length === 0) return new Set();
  const ids = gone.map(({ worker }) => worker.id);
  const seenAt = gone.map(({ worker }) => worker.seenAt);
  const because = gone.map((one) => one.because);
  const rows = await sql.query<{ id: string }>(STRIKE_OFF_WORKERS, [ids, seenAt, because]);
  return new Set(rows.map((row) => row.id));
}
