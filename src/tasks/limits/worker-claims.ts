import { Injectable } from '@nestjs/common';
import { EnginePool } from '../queue/engine-pool.js';
import { Dispatcher, type SourceOptions, type TaskSource } from '../dispatch/dispatcher.js';
import { Gate } from './gate.js';
import { LimitDeclarations } from './limit-declarations.js';
import { LimitsView } from './limits-view.js';
import { QueueClaims } from './queue-claims.js';
import { SuspectClaims, type SuspectClaimsOptions } from './suspect-claims.js';

/** Where the workers of this process get their tasks from. */
@Injectable()
export class WorkerClaims {
  constructor(
    readonly pool: EnginePool,
    readonly view: LimitsView,
    readonly gate: Gate,
    private readonly declarations: LimitDeclarations,
    private readonly dispatcher: Dispatcher,
  ) {}

  /** Before the first claim: what the code declares holds from then on. */
  prepare(): Promise<void> {
    return this.declarations.declareOwn();
  }

  source(options: Omit<SourceOptions, 'claims'>): TaskSource {
    return this.dispatcher.source({ ...options, claims: new QueueClaims(this, options) });
  }

  ofSuspects(options: SuspectClaimsOptions): SuspectClaims {
    return new SuspectClaims(this, options);
  }
}
