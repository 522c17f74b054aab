import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { Gate, type GateRequest } from '../limits/gate.js';
import { type LimitsSnapshot, LimitsView } from '../limits/limits-view.js';
import { EnginePool } from '../queue/engine-pool.js';
import type { ClaimedRow } from '../worker/attempt.js';
import { CLAIM_CHOSEN_EXTERNAL, CLAIM_EXTERNAL } from './external-claim.sql.js';
import type { QueuedType } from './external-types.service.js';

/** How often a claim tries again while others are at the same limits, which takes milliseconds. */
const TRIES = 10;
/** For what is refused for longer, claims wait. */
const BUSY_MS = 100;

export type ExternalAttempt = Omit<ClaimedRow, 'joining'> & {
  readonly started_at: Date;
  readonly lease_expires_at: Date;
};

export interface TakeRequest {
  /** `type@version`, for all that the worker knows. */
  readonly known: readonly string[];
  /** Where tasks of these types wait. */
  readonly queued: readonly QueuedType[];
  readonly limit: number;
  readonly leaseMs: number;
  readonly worker: string;
  readonly actor: string;
}

/** What a look gave, and when to look again; undefined or for ever when somebody will say that there is a reason to. */
export interface Taken {
  readonly attempts: readonly ExternalAttempt[];
  readonly retryInMs?: number;
}

/** A place to look: the queue's own lane, or that of a type with limits. */
interface Place {
  readonly queue: string;
  readonly type?: string;
}

/** Claims for external workers, from wherever there is something that limits allow. */
@Injectable()
export class ExternalLanes {
  constructor(
    private readonly pool: EnginePool,
    private readonly view: LimitsView,
    private readonly gate: Gate,
  ) {}

  async take(request: TakeRequest): Promise<Taken> {
    const snapshot = await this.view.fresh();
    const places = placesOf(request.queued, snapshot);
    // Another one first each time, so that a full queue does not keep the others waiting for ever.
    const first = Math.floor(Math.random() * places.length);
    let retryInMs = Infinity;
    for (const place of [...places.slice(first), ...places.slice(0, first)]) {
      const isPlain = place.type === undefined && snapshot.queues.get(place.queue)?.limits.concurrency === undefined;
      const taken = isPlain
        ? { attempts: await this.takePlain(request, place, snapshot) }
        : await this.takeWithinLimits(request, place, snapshot);
      if (taken.attempts.length > 0) return taken;
      retryInMs = Math.min(retryInMs, taken.retryInMs ?? Infinity);
    }
    return { attempts: [], retryInMs };
  }

  private takePlain(request: TakeRequest, { queue }: Place, snapshot: LimitsSnapshot): Promise<ExternalAttempt[]> {
    const { limit, leaseMs, worker, actor } = request;
    const plain = request.known.filter((one) => !snapshot.types.has(typeIn(one)));
    const values = [uuidv7(), queue, plain, limit, leaseMs, worker, actor, snapshot.revision];
    return this.pool.prepared.query<ExternalAttempt>(CLAIM_EXTERNAL, values);
  }

  private async takeWithinLimits(request: TakeRequest, place: Place, snapshot: LimitsSnapshot): Promise<Taken> {
    const suspect = await this.takeLimited(request, place, { snapshot, suspect: true });
    return suspect.attempts.length > 0 ? suspect : this.takeLimited(request, place, { snapshot, suspect: false });
  }

  private async takeLimited(
    { known, limit, leaseMs, worker, actor }: TakeRequest,
    { queue, type }: Place,
    { snapshot, suspect }: { readonly snapshot: LimitsSnapshot; readonly suspect: boolean },
  ): Promise<Taken> {
    const types = known.filter((one) => (type === undefined ? !snapshot.types.has(typeIn(one)) : typeIn(one) === type));
    const request: GateRequest<ExternalAttempt> = {
      ...{ snapshot, queue, type, wanted: limit, suspect },
      known: { by: 'external', types, versions: null },
      take: (sql, ids) => {
        const values = [uuidv7(), queue, types, limit, leaseMs, worker, actor, ids];
        return sql.query<ExternalAttempt>(CLAIM_CHOSEN_EXTERNAL, values);
      },
    };
    for (let tries = 1; ; tries += 1) {
      const { rows, retryInMs = Infinity } = await this.gate.claim(request);
      if (rows.length > 0 || retryInMs > BUSY_MS || tries === TRIES) return { attempts: rows, retryInMs };
      await sleep(retryInMs);
    }
  }
}

function placesOf(queued: readonly QueuedType[], { queues, types }: LimitsSnapshot): Place[] {
  const open = queued.filter(({ queue }) => !queues.get(queue)?.pause);
  const plain = new Set(open.flatMap(({ name, queue }) => (types.has(name) ? [] : [queue])));
  const limited = open.filter(({ name }) => types.has(name) && !types.get(name)?.pause);
  return [...[...plain].map((queue) => ({ queue })), ...limited.map(({ name: type, queue }) => ({ queue, type }))];
}

const typeIn = (typeAndVersion: string): string => typeAndVersion.slice(0, typeAndVersion.lastIndexOf('@'));
