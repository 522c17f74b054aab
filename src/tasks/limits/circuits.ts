import { Injectable, Logger } from '@nestjs/common';
import { EnginePool } from '../queue/engine-pool.js';
import { Wakeup } from '../queue/wakeup.js';
import type { Failure } from '../retry-policy.js';
import { COUNT_FAILURE, COUNT_SUCCESS } from './circuits.sql.js';
import { COOL_DOWN_MS, LONGEST_COOL_DOWN_MS } from './limits.js';
import { LimitMetrics } from './limit-metrics.js';
import { LimitsView } from './limits-view.js';

interface Turned {
  readonly before: 'closed' | 'open' | 'probing';
  readonly after: 'closed' | 'open' | 'probing';
}

/**
 * Tells when something that a type depends on is down: after so many transient failures in a row the type is parked, and
 * one task at a time is tried until one goes well. Types without a breaker are not looked at.
 */
@Injectable()
export class Circuits {
  private readonly logger = new Logger(Circuits.name);
  /** Whether each was open when a failure was last counted here. */
  private readonly wasOpen = new Map<string, boolean>();

  constructor(
    private readonly pool: EnginePool,
    private readonly view: LimitsView,
    private readonly wakeup: Wakeup,
    private readonly metrics: LimitMetrics,
  ) {}

  /** Whether something may wait for a task of this type or queue to end. */
  isLimited(type: string, queue: string): boolean {
    const { types, queues } = this.view.current;
    return types.has(type) || queues.get(queue)?.limits.concurrency !== undefined;
  }

  /** For whoever has not claimed through the limits of this process. */
  async refresh(): Promise<void> {
    await this.view.fresh();
  }

  has(type: string): boolean {
    return this.view.current.types.get(type)?.limits.breaker !== undefined;
  }

  /** Without asking the database: as it was when this process last counted a failure. */
  wasLastSeenOpen(type: string): boolean {
    return this.has(type) && (this.wasOpen.get(type) ?? false);
  }

  /** A transient failure. Gives whether the circuit was open already: then the attempt does not count. */
  async failed(type: string, taskId: string, { code, message, retryAfterMs }: Failure): Promise<boolean> {
    const breaker = this.view.current.types.get(type)?.limits.breaker;
    if (!breaker) return false;
    const { failures, coolDownMs = COOL_DOWN_MS, longestCoolDownMs = LONGEST_COOL_DOWN_MS } = breaker;
    const coolDowns = [coolDownMs, longestCoolDownMs, Math.round(retryAfterMs ?? 0)];
    const error = `${code}: ${message}`.replaceAll('\0', '').slice(0, 1_000);
    try {
      const values = [type, taskId, failures, ...coolDowns, error];
      const [turned] = await this.pool.query<Turned>(COUNT_FAILURE, values);
      if (!turned) return false;
      this.wasOpen.set(type, turned.after !== 'closed');
      if (turned.before === 'closed' && turned.after === 'open') {
        this.metrics.circuitTurned(type, 'open');
        this.logger.error({ message: 'circuit opened: tasks of this type wait', taskName: type, errorMessage: error });
      }
      if (turned.before !== turned.after) this.wakeup.limitsChanged();
      return turned.before !== 'closed';
    } catch (cause) {
      this.logger.warn({ message: 'failure not counted for its circuit', taskName: type, err: cause });
      return false;
    }
  }

  /** An attempt that did what it was for. Never throws; a success that is not counted is followed by others. */
  succeeded(type: string, taskId: string): void {
    if (!this.has(type)) return;
    this.countSuccess(type, taskId).catch((cause: unknown) => {
      this.logger.warn({ message: 'success not counted for its circuit', taskName: type, err: cause });
    });
  }

  private async countSuccess(type: string, taskId: string): Promise<void> {
    const [reset] = await this.pool.prepared.query<Pick<Turned, 'before'>>(COUNT_SUCCESS, [type, taskId]);
    this.wasOpen.delete(type);
    if (reset?.before !== 'probing') return;
    this.metrics.circuitTurned(type, 'closed');
    this.logger.log({ message: 'circuit closed: tasks of this type go on', taskName: type });
    this.wakeup.limitsChanged();
  }
}
