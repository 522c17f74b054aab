import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { Settings } from '../../platform/config/settings.js';
import { Database } from '../../platform/database/database.js';
import { invalid, notFound } from '../../platform/errors/app-error.js';
import { TaskRegistry } from '../task-registry.js';
import { TaskTypes } from '../task-types.js';
import { FINISHED_STATUSES, type FinishedStatus } from '../task-state.js';
import { type KeepByOutcome, type Sweep, sweepsOf, type TypePolicy } from './retention-policy.js';
import { ALL_POLICIES, FINISHED_TYPES, FORGET_POLICY, TYPE_HAS_FINISHED, WRITE_POLICY } from './retention.sql.js';

export interface StoredPolicy {
  readonly type: string;
  readonly keep: TypePolicy;
  readonly updatedAt: Date;
  readonly updatedBy: string;
}

interface PolicyRow {
  type: string;
  outcome: FinishedStatus;
  keep_days: number | null;
  updated_at: Date;
  updated_by: string;
}

/** How long finished tasks are kept: the settings' defaults, and what is stored for single types. */
@Injectable()
export class RetentionPolicies {
  constructor(
    private readonly database: Database,
    private readonly settings: Settings,
    private readonly registry: TaskRegistry,
    private readonly types: TaskTypes,
    private readonly clock: Clock,
  ) {}

  get defaults(): KeepByOutcome {
    return this.settings.retentionDays;
  }

  get idempotencyKeyHours(): number {
    return this.settings.idempotencyKeyHours;
  }

  /** Those of single types, by type. */
  async list(): Promise<StoredPolicy[]> {
    const byType = new Map<string, StoredPolicy>();
    for (const { type, outcome, keep_days: days, ...row } of await this.database.query<PolicyRow>(ALL_POLICIES)) {
      const known = byType.get(type);
      const newer = known && known.updatedAt > row.updated_at ? known : undefined;
      byType.set(type, {
        type,
        keep: { ...known?.keep, [outcome]: days ?? 'forever' },
        updatedAt: newer?.updatedAt ?? row.updated_at,
        updatedBy: newer?.updatedBy ?? row.updated_by,
      });
    }
    return [...byType.values()];
  }

  /** @throws not-found `retention_policy_not_found`. */
  async get(type: string): Promise<StoredPolicy> {
    const name = this.nameOf(type);
    const policy = (await this.list()).find((one) => one.type === name);
    if (policy === undefined) throw notFound('retention_policy_not_found', `${name} follows the default`);
    return policy;
  }

  /** Replaces what is stored for a type. @throws invalid `unknown_task_type`, `invalid_retention`. */
  async set(type: string, keep: TypePolicy, actor: string): Promise<StoredPolicy> {
    const name = this.nameOf(type);
    const outcomes = FINISHED_STATUSES.filter((outcome) => keep[outcome] !== undefined);
    if (outcomes.length === 0) {
      throw invalid('invalid_retention', 'say how long to keep completed, failed or cancelled tasks');
    }
    await this.checkKnown(name);
    const days = outcomes.map((outcome) => (keep[outcome] === 'forever' ? null : keep[outcome]));
    await this.database.transaction(async (tx) => {
      await tx.query(FORGET_POLICY, [name]);
      await tx.query(WRITE_POLICY, [name, outcomes, days, actor]);
    });
    return this.get(name);
  }

  /** Lets a type follow the default again. Idempotent. */
  async reset(type: string): Promise<void> {
    await this.database.query(FORGET_POLICY, [this.nameOf(type)]);
  }

  /** What is to go now. */
  async sweeps(): Promise<Sweep[]> {
    const [types, policies] = await Promise.all([this.database.query<{ type: string }>(FINISHED_TYPES), this.list()]);
    return sweepsOf({
      types: types.map(({ type }) => type),
      defaults: this.defaults,
      policies: new Map(policies.map(({ type, keep }) => [type, keep])),
      atLeastHours: this.idempotencyKeyHours,
      now: this.clock.now(),
    });
  }

  /** As it is stored; asked for in any letter case. */
  private nameOf(type: string): string {
    return this.registry.find(type)?.definition.name ?? type.toLowerCase();
  }

  /** A type that no handler is left for may have tasks yet; a misspelt one has none. */
  private async checkKnown(type: string): Promise<void> {
    const known = await this.database.query(TYPE_HAS_FINISHED, [type]);
    if (known.length === 0) await this.types.get(type);
  }
}
