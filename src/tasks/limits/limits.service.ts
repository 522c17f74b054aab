import { Injectable } from '@nestjs/common';
import type { Sql } from '../../platform/database/transaction.js';

import { EnginePool } from '../queue/engine-pool.js';
import { LOCK_LIMITS } from '../queue/lanes.sql.js';
import { Wakeup } from '../queue/wakeup.js';
import type { LimitScope, LimitsOverride } from './limits.js';
import {
  CLOSE_CIRCUIT,
  KNOW,
  LIMIT_EVENTS,
  NEXT_REVISION,
  NOTE_LIMIT_EVENT,
  OVERRIDE,
  PAUSE,
  REFILL,
  RESUME,
} from './limits.sql.js';
import { type Limited, LimitsView } from './limits-view.js';

/** A queue, or a type of task. */
export interface LimitSubject {
  readonly scope: LimitScope;
  readonly name: string;
}

/** Who changes something, and why. */
export interface ChangedBy {
  readonly actor: string;
  readonly reason?: string;
}

export interface LimitEvent extends LimitSubject {
  readonly id: string;
  readonly at: Date;
  readonly action: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

type Action = 'paused' | 'resumed' | 'limits_set' | 'limits_reset' | 'circuit_closed';

/**
 * What operators do about limits. Once a method has answered, what it changed holds for every claim, of any process; what
 * runs goes on. All are idempotent, and those that changed something leave a row in task_limit_events.
 */
@Injectable()
export class LimitsService {
  constructor(
    private readonly pool: EnginePool,
    private readonly view: LimitsView,
    private readonly wakeup: Wakeup,
  ) {}

  /** Those that have, or had, limits or a pause. */
  async all(): Promise<Limited[]> {
    const { queues, types } = await this.view.reload();
    return [...queues.values(), ...types.values()];
  }

  async find({ scope, name }: LimitSubject): Promise<Limited | undefined> {
    const snapshot = await this.view.reload();
    return (scope === 'queue' ? snapshot.queues : snapshot.types).get(name);
  }

  /** Nothing of it is claimed until it is resumed. */
  pause(subject: LimitSubject, by: ChangedBy): Promise<void> {
    return this.change(subject, by, async (sql, values) => {
      const paused = await sql.query(PAUSE, [...values, by.reason ?? null]);
      return paused.length > 0 ? 'paused' : undefined;
    });
  }

  resume(subject: LimitSubject, by: ChangedBy): Promise<void> {
    return this.change(subject, by, async (sql, values) => {
      return (await sql.query(RESUME, values)).length > 0 ? 'resumed' : undefined;
    });
  }

  /** Sets what holds instead of what the code declares; fields that are left out are as declared. */
  set(subject: LimitSubject, overridden: LimitsOverride, by: ChangedBy): Promise<void> {
    return this.change(subject, { ...by, details: overridden }, async (sql, values) => {
      const changed = await sql.query(OVERRIDE, [...values, JSON.stringify(overridden)]);
      if (changed.length === 0) return undefined;
      if (subject.scope === 'type') await sql.query(REFILL, [subject.name]);
      return Object.keys(overridden).length === 0 ? 'limits_reset' : 'limits_set';
    });
  }

  /** Lets the tasks of a type go on, whatever its circuit says. */
  closeCircuit(type: string, by: ChangedBy): Promise<void> {
    return this.change({ scope: 'type', name: type }, by, async (sql) => {
      return (await sql.query(CLOSE_CIRCUIT, [type])).length > 0 ? 'circuit_closed' : undefined;
    });
  }

  /** Newest first. */
  events(
    { scope, name }: Partial<LimitSubject>,
    { limit, before }: { readonly limit: number; readonly before?: string },
  ): Promise<LimitEvent[]> {
    return this.pool.query<LimitEvent>(LIMIT_EVENTS, [scope ?? null, name ?? null, before ?? null, limit]);
  }

  private async change(
    { scope, name }: LimitSubject,
    { actor, reason, details = {} }: ChangedBy & { readonly details?: object },
    apply: (sql: Sql, values: readonly unknown[]) => Promise<Action | undefined>,
  ): Promise<void> {
    await this.pool.transaction(async (sql) => {
      await sql.query(LOCK_LIMITS);
      await sql.query(NEXT_REVISION);
      await sql.query(KNOW, [scope, name, actor]);
      const action = await apply(sql, [scope, name, actor]);
      if (!action) return;
      await sql.query(NOTE_LIMIT_EVENT, [scope, name, action, actor, reason ?? null, JSON.stringify(details)]);
    });
    this.wakeup.limitsChanged();
  }
}
