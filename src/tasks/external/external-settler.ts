import { Injectable } from '@nestjs/common';
import { EnginePool } from '../queue/engine-pool.js';
import { Circuits } from '../limits/circuits.js';
import { type Return, Settlement } from '../queue/settlement.js';
import { type Failure, retryDelayMs } from '../retry-policy.js';
import type { WrittenOutcome } from '../worker/outcome-writer.js';
import { AttemptReports } from './attempt-reports.js';
import { DROP_LEASE } from './external-attempts.sql.js';
import { ExternalTypes } from './external-types.service.js';
import { type HeldAttempt, settled } from './held-attempt.js';

/**
 * Ends attempts of external workers by the rules that hold for all: the same statements, fences, retries and audit rows.
 * Each method does nothing where the attempt has lost its task; how it ended stands in the audit trail.
 */
@Injectable()
export class ExternalSettler {
  constructor(
    private readonly pool: EnginePool,
    private readonly settlement: Settlement,
    private readonly types: ExternalTypes,
    private readonly circuits: Circuits,
    private readonly reports: AttemptReports,
  ) {}

  async complete(held: HeldAttempt, result: string | null, actor: string): Promise<void> {
    await this.circuits.refresh();
    const ending = { ...settled(held), status: 'completed', result, actor } as const;
    const ids = await this.settlement.finish(held.worker_id, [ending]);
    if (ids.has(held.id)) this.circuits.succeeded(held.type, held.id);
    await this.ended(held, ids, { end: 'completed' });
  }

  /** Tries again, or not: by category, attempts, and whether its type's circuit is open. A task that somebody wants cancelled ends so, whatever went wrong. */
  async fail(held: HeldAttempt, failure: Failure, actor: string): Promise<void> {
    if (held.cancel) return this.cancel(held, actor);
    await this.circuits.refresh();
    if (failure.category === 'transient' && (await this.circuits.failed(held.type, held.id, failure))) {
      return this.giveBack(held, { ...settled(held), ...failure, reason: 'parked', delayMs: 0 }, failure);
    }
    if (failure.category === 'permanent' || held.attempt >= held.max_attempts) {
      const ending = { ...settled(held), ...failure, status: 'failed', actor } as const;
      return this.ended(held, await this.settlement.finish(held.worker_id, [ending]), { end: 'failed', failure });
    }
    const type = await this.types.version(held.type, held.version);
    const delayMs = retryDelayMs(type?.retry.backoff, held.attempt, failure);
    await this.giveBack(held, { ...settled(held), ...failure, reason: 'backoff', delayMs }, failure);
  }

  async cancel(held: HeldAttempt, actor: string): Promise<void> {
    const ending = { ...settled(held), status: 'cancelled', actor } as const;
    await this.ended(held, await this.settlement.finish(held.worker_id, [ending]), { end: 'cancelled' });
  }

  /** Back to the queue at once, the attempt not counted. */
  async release(held: HeldAttempt): Promise<void> {
    await this.giveBack(held, { ...settled(held), reason: 'released', delayMs: 0 });
  }

  private async giveBack(held: HeldAttempt, back: Return, failure?: Failure): Promise<void> {
    const ids = await this.settlement.giveBack(held.worker_id, [back]);
    await this.ended(held, ids, { end: failure ? 'retry' : 'released', failure });
  }

  private async ended(held: HeldAttempt, ids: Set<string>, outcome: WrittenOutcome): Promise<void> {
    if (!ids.has(held.id)) return;
    this.reports.ended(held, outcome);
    await this.pool.query(DROP_LEASE, [held.worker_id]);
    if (this.circuits.isLimited(held.type, held.queue)) this.settlement.wake([held.queue]);
  }
}
