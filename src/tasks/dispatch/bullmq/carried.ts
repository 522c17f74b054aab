import type { EnginePool } from '../../queue/engine-pool.js';
import type { KnownType } from '../../worker/lease.js';
import { KNOWN_TO_ALL } from '../dispatch.sql.js';

/** For so long an answer is good enough: a job that went to a worker too old for it is dropped there and offered anew. */
const FRESH_MS = 1_000;

/** Which types Redis carries, by queue: those that every worker of the queue knows. */
export class Carried {
  private byQueue = new Map<string, KnownType[]>();
  private asked: Promise<void> = Promise.resolve();
  private askedMs = -FRESH_MS;

  constructor(private readonly pool: EnginePool) {}

  /** As far as is known without asking. */
  typesOf(queue: string): readonly KnownType[] {
    return this.byQueue.get(queue) ?? [];
  }

  queues(): string[] {
    return [...this.byQueue.keys()];
  }

  /** Those of a worker's types of which Redis does not carry all versions that the worker knows. */
  leftOut(queue: string, types: readonly KnownType[]): KnownType[] {
    const carried = new Map(this.typesOf(queue).map(({ name, version }) => [name, version]));
    return types.filter(({ name, version }) => (carried.get(name) ?? 0) < version);
  }

  /** Asks the database, unless somebody just has. @throws when it does not answer. */
  refresh(): Promise<void> {
    if (performance.now() - this.askedMs >= FRESH_MS) {
      this.askedMs = performance.now();
      this.asked = this.ask();
      this.asked.catch(() => (this.askedMs = -FRESH_MS));
    }
    return this.asked;
  }

  private async ask(): Promise<void> {
    const byQueue = new Map<string, KnownType[]>();
    for (const { queue, ...type } of await this.pool.prepared.query<KnownType & { queue: string }>(KNOWN_TO_ALL)) {
      const types = byQueue.get(queue);
      if (types) types.push(type);
      else byQueue.set(queue, [type]);
    }
    this.byQueue = byQueue;
  }
}
