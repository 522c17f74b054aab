import { Injectable } from '@nestjs/common';
import { notFound } from '../../platform/errors/app-error.js';
import { EnginePool } from '../queue/engine-pool.js';
import { TaskRegistry } from '../task-registry.js';
import { KNOWN_QUEUES, QUEUES } from '../worker/backlog.sql.js';
import type { Limited } from './limits-view.js';
import { LimitsService } from './limits.service.js';

/** What a queue holds, and what holds it. Numbers are up to 10,000. */
export interface QueueState {
  readonly name: string;
  readonly ready: number;
  readonly oldestSeconds: number | null;
  readonly delayed: number;
  readonly running: number;
  /** Workers that serve it, and how many tasks they run at once. */
  readonly workers: number;
  readonly slots: number;
  readonly limited: Limited | undefined;
}

/** The queues there are, and how they stand. */
@Injectable()
export class QueueOverview {
  /** Counting stops here. */
  mostCounted = 10_000;

  constructor(
    private readonly pool: EnginePool,
    private readonly registry: TaskRegistry,
    private readonly limits: LimitsService,
  ) {}

  async list(): Promise<QueueState[]> {
    return this.statesOf(await this.names());
  }

  /** @throws not-found `queue_not_found`. */
  async get(name: string): Promise<QueueState> {
    const [state] = await this.statesOf((await this.names()).filter((one) => one === name));
    if (!state)
      throw notFound('queue_not_found', `there is no queue "${name}"; there are ${(await this.names()).join(', ')}`);
    return state;
  }

  private async names(): Promise<string[]> {
    const stored = await this.pool.query<{ name: string }>(KNOWN_QUEUES);
    const own = this.registry.definitions().map(({ queue }) => queue);
    return [...new Set([...own, ...stored.map(({ name }) => name)])].sort();
  }

  private async statesOf(names: readonly string[]): Promise<QueueState[]> {
    const rows = await this.pool.query<Omit<QueueState, 'limited'>>(QUEUES, [names, this.mostCounted]);
    const limited = new Map(
      (await this.limits.all()).flatMap((one) => (one.scope === 'queue' ? [[one.name, one]] : [])),
    );
    return rows.map((row) => ({ ...row, limited: limited.get(row.name) }));
  }
}
