import { Injectable } from '@nestjs/common';
import type { Sql } from '../../platform/database/transaction.js';
import { EnginePool } from '../queue/engine-pool.js';
import { LOCK_LIMITS } from '../queue/lanes.sql.js';
import { Wakeup } from '../queue/wakeup.js';
import { TaskRegistry } from '../task-registry.js';
import { type Limits } from './limits.js';
import { DECLARE, KNOW, NEXT_REVISION, NOTE_LIMIT_EVENT, REFILL } from './limits.sql.js';
import { LimitsView } from './limits-view.js';

const ACTOR = 'code';

/** Brings to the database what definitions say about limits: before the first claim of a process, and when a type is declared. */
@Injectable()
export class LimitDeclarations {
  constructor(
    private readonly pool: EnginePool,
    private readonly registry: TaskRegistry,
    private readonly view: LimitsView,
    private readonly wakeup: Wakeup,
  ) {}

  /** Those of all types of this program. */
  async declareOwn(): Promise<void> {
    const { types } = await this.view.reload();
    const changed = this.registry.definitions().filter(({ name, limits = {} }) => {
      return !isSame(types.get(name)?.declared ?? {}, limits);
    });
    if (changed.length === 0) return;
    await this.pool.transaction(async (sql) => {
      for (const { name, limits = {} } of changed) await declareLimits(sql, { type: name, limits, actor: ACTOR });
    });
    this.wakeup.limitsChanged();
    await this.view.reload();
  }

  /** Those of a type that was declared over HTTP. */
  async declare(type: string, limits: Limits, actor: string): Promise<void> {
    const { types } = await this.view.reload();
    if (isSame(types.get(type)?.declared ?? {}, limits)) return;
    await this.pool.transaction((sql) => declareLimits(sql, { type, limits, actor }));
    this.wakeup.limitsChanged();
  }
}

async function declareLimits(
  sql: Sql,
  { type, limits, actor }: { readonly type: string; readonly limits: Limits; readonly actor: string },
): Promise<void> {
  const subject = ['type', type, actor];
  const text = JSON.stringify(limits);
  await sql.query(LOCK_LIMITS);
  await sql.query(NEXT_REVISION);
  await sql.query(KNOW, subject);
  if ((await sql.query(DECLARE, [...subject, text])).length === 0) return;
  await sql.query(REFILL, [type]);
  await sql.query(NOTE_LIMIT_EVENT, ['type', type, 'limits_declared', actor, null, text]);
}

/** jsonb keeps no order of keys. */
const isSame = (a: object, b: object): boolean => sorted(a) === sorted(b);
const sorted = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
