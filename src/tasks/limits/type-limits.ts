import { Injectable } from '@nestjs/common';
import { EnginePool } from '../queue/engine-pool.js';
import { TaskTypes } from '../task-types.js';
import { COUNT_RUNNING } from './gate.sql.js';
import type { Limits, LimitsOverride } from './limits.js';
import { LIMIT_STATES } from './limits.sql.js';
import type { Limited, Pause } from './limits-view.js';
import { type ChangedBy, LimitsService } from './limits.service.js';

export interface CircuitState {
  readonly name: string;
  readonly circuit: 'closed' | 'open' | 'probing';
  readonly failures: number;
  readonly openedAt: Date | null;
  readonly probeAt: Date | null;
  readonly lastError: string | null;
  readonly tokens: number | null;
  readonly tokensAgeMs: number | null;
}

/** What holds for a type of task. */
export interface TypeLimitsState {
  readonly name: string;
  readonly queue: string;
  readonly declared: Limits;
  readonly overridden: LimitsOverride;
  readonly limits: Limits;
  readonly pause: Pause | undefined;
  readonly running: number;
  readonly circuit: CircuitState | undefined;
}

/** Limits of types, by their names in any letter case. @throws invalid `unknown_task_type`. */
@Injectable()
export class TypeLimits {
  constructor(
    private readonly pool: EnginePool,
    private readonly types: TaskTypes,
    private readonly limits: LimitsService,
  ) {}

  async get(type: string): Promise<TypeLimitsState> {
    const { name, queue } = await this.types.get(type);
    return this.stateOf(name, queue);
  }

  /** Those that have, or had, limits of their own. */
  async list(): Promise<TypeLimitsState[]> {
    const limited = (await this.limits.all()).filter(({ scope }) => scope === 'type');
    return Promise.all(limited.map(async ({ name }) => this.stateOf(name, await this.queueOf(name))));
  }

  async pause(type: string, by: ChangedBy): Promise<TypeLimitsState> {
    const { name } = await this.types.get(type);
    await this.limits.pause({ scope: 'type', name }, by);
    return this.get(name);
  }

  async resume(type: string, by: ChangedBy): Promise<TypeLimitsState> {
    const { name } = await this.types.get(type);
    await this.limits.resume({ scope: 'type', name }, by);
    return this.get(name);
  }

  async set(type: string, overridden: LimitsOverride, by: ChangedBy): Promise<TypeLimitsState> {
    const { name } = await this.types.get(type);
    await this.limits.set({ scope: 'type', name }, overridden, by);
    return this.get(name);
  }

  async closeCircuit(type: string, by: ChangedBy): Promise<TypeLimitsState> {
    const { name } = await this.types.get(type);
    await this.limits.closeCircuit(name, by);
    return this.get(name);
  }

  /** A type may be gone of which limits are kept. */
  private async queueOf(name: string): Promise<string> {
    return this.types.get(name).then(
      ({ queue }) => queue,
      () => '',
    );
  }

  private async stateOf(name: string, queue: string): Promise<TypeLimitsState> {
    const limited: Limited | undefined = await this.limits.find({ scope: 'type', name });
    const [circuit] = await this.pool.query<CircuitState>(LIMIT_STATES, [name]);
    const [running] = await this.pool.query<{ ofType: number }>(COUNT_RUNNING(false), [null, name, null, null]);
    const { declared = {}, overridden = {}, limits = {}, pause } = limited ?? {};
    return { name, queue, declared, overridden, limits, pause, running: running?.ofType ?? 0, circuit };
  }
}
