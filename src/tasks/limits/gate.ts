import { Injectable } from '@nestjs/common';
import type { Sql } from '../../platform/database/transaction.js';
import { EnginePool } from '../queue/engine-pool.js';
import { laneRange, ownLane } from '../queue/lanes.sql.js';
import { type Allowance, allowanceOf, type LimitState, msUntilNext, type Running, tokensOf } from './allowance.js';
import {
  CHOOSE,
  CHOOSE_SUSPECT,
  COUNT_RUNNING,
  type Knowledge,
  LANES_IN_TURN,
  SPEND,
  TAKE_LIMITS,
} from './gate.sql.js';
import { LimitMetrics } from './limit-metrics.js';
import type { Limited, LimitsSnapshot } from './limits-view.js';

/** Lanes of one type that a claim looks at; the next one goes on where it stopped. */
const LANES_A_TURN = 100;
/** Somebody else is at the same limits: they are done within milliseconds. With jitter, so that many do not meet again. */
const BUSY_MS = 10;
const BUSY_JITTER_MS = 20;
/** All keys that were looked at are busy, and there are more. */
const NEXT_TURN_MS = 50;

/** What a claimer can do. */
export interface Known {
  readonly by: Knowledge;
  readonly types: readonly string[];
  /** Beside the types; null where these name their versions. */
  readonly versions: readonly number[] | null;
}

export interface GateRequest<Row> {
  readonly snapshot: LimitsSnapshot;
  readonly queue: string;
  /** Undefined: what waits in the queue's own lane. */
  readonly type?: string;
  readonly wanted: number;
  readonly known: Known;
  /** One suspect instead of what is ready. */
  readonly suspect?: boolean;
  /** Claims the tasks that were chosen. */
  readonly take: (sql: Sql, taskIds: readonly string[]) => Promise<Row[]>;
}

export interface GateAnswer<Row> {
  readonly rows: readonly Row[];
  /** When to look again; undefined when somebody will say that there is a reason to. */
  readonly retryInMs?: number;
}

interface StateRow extends LimitState {
  readonly scope: 'queue' | 'type';
  readonly probeTask: string | null;
  readonly probeFence: number | null;
  readonly lastLane: string | null;
  readonly now: string;
}

interface Chosen {
  readonly ids: readonly string[];
  readonly lastLane: string | null;
  readonly retryInMs?: number;
}

/**
 * Claims tasks that limits hold for. One transaction, in which the row of each limit is taken first: so whatever runs was
 * counted, and no two claims can both take the last place. Whoever finds the row taken comes back soon.
 */
@Injectable()
export class Gate {
  constructor(
    private readonly pool: EnginePool,
    private readonly metrics: LimitMetrics,
  ) {}

  claim<Row extends { readonly id: string; readonly fence: number }>(
    request: GateRequest<Row>,
  ): Promise<GateAnswer<Row>> {
    const queue = limitedBy(request.snapshot.queues.get(request.queue));
    const type = request.type === undefined ? undefined : request.snapshot.types.get(request.type);
    return this.pool.transaction(async (sql) => {
      const values = [request.snapshot.revision, queue?.name ?? null, type?.name ?? null];
      const states = await sql.query<StateRow>(TAKE_LIMITS, values);
      const busy = { rows: [], retryInMs: BUSY_MS + Math.random() * BUSY_JITTER_MS };
      if (states.length < Number(queue !== undefined) + Number(type !== undefined)) return busy;
      const state = states.find(({ scope }) => scope === 'type');
      const running = await countRunning(sql, { queue, type, state });
      const allowance = allowanceOf(request.wanted, { queue: queue?.limits, type: type?.limits }, { running, state });
      if (allowance.because) this.metrics.refused(request.type ?? request.queue, allowance.because);
      if (allowance.count === 0) return { rows: [], retryInMs: allowance.retryInMs };
      const chosen = await choose(sql, request, { type, allowance, lastLane: state?.lastLane ?? null });
      const rows = chosen.ids.length === 0 ? [] : await request.take(sql, chosen.ids);
      if (type && state)
        await spend(sql, { type, state, chosen, probe: allowance.isProbe ? rows[0] : undefined }, rows.length);
      const nextInMs = state && msUntilNext(type?.limits.rate, state, rows.length);
      return { rows, retryInMs: chosen.retryInMs ?? nextInMs };
    });
  }
}

/** Only a number of tasks can limit a queue. */
const limitedBy = (queue: Limited | undefined): Limited | undefined =>
  queue?.limits.concurrency === undefined ? undefined : queue;

async function countRunning(
  sql: Sql,
  { queue, type, state }: { queue?: Limited; type?: Limited; state?: StateRow },
): Promise<Running> {
  const values = [queue?.name ?? null, type?.name ?? null, state?.probeTask ?? null, state?.probeFence ?? null];
  const [running] = await sql.query<Running>(COUNT_RUNNING(type?.settled ?? true), values);
  return running ?? { inQueue: 0, ofType: 0, isProbed: false };
}

async function choose<Row>(
  sql: Sql,
  { queue, known, suspect }: GateRequest<Row>,
  { type, allowance, lastLane }: { type?: Limited; allowance: Allowance; lastLane: string | null },
): Promise<Chosen> {
  const { count } = allowance;
  const perKey = type?.limits.concurrencyPerKey ?? Infinity;
  if (suspect) {
    const values = [known.types, known.versions, type?.name, queue];
    const found = await sql.query<{ id: string; running: number }>(CHOOSE_SUSPECT(known.by), values);
    return { ids: found.flatMap(({ id, running }) => (running < perKey ? [id] : [])), lastLane };
  }
  const lanes = type ? await lanesInTurn(sql, { queue, type, lastLane }) : [{ lane: queue, running: 0 }];
  const open = lanes.flatMap(({ lane, running }) => {
    const quota = Math.min(count, isKeyed(queue, type, lane) ? perKey - running : count);
    return quota > 0 ? [{ lane, quota }] : [];
  });
  const lanesAndQuotas = [open.map(({ lane }) => lane), open.map(({ quota }) => quota)];
  const values = [known.types, known.versions, ...lanesAndQuotas, count];
  const found = open.length === 0 ? [] : await sql.query<{ id: string; lane: string }>(CHOOSE(known.by), values);
  const more = lanes.length === LANES_A_TURN && found.length < count;
  return {
    ids: found.map(({ id }) => id),
    lastLane: (found.length < count ? lanes.at(-1)?.lane : found.at(-1)?.lane) ?? lastLane,
    ...(more ? { retryInMs: NEXT_TURN_MS } : {}),
  };
}

const isKeyed = (queue: string, type: Limited | undefined, lane: string): boolean =>
  type !== undefined && lane !== ownLane(queue, type.name);

function lanesInTurn(
  sql: Sql,
  { queue, type, lastLane }: { queue: string; type: Limited; lastLane: string | null },
): Promise<{ lane: string; running: number }[]> {
  const [from, upTo] = laneRange(ownLane(queue, type.name));
  const isInRange = lastLane !== null && lastLane >= from && lastLane < upTo;
  return sql.query(LANES_IN_TURN(type.settled), [from, upTo, isInRange ? lastLane : from, LANES_A_TURN, type.name]);
}

async function spend(sql: Sql, { type, state, chosen, probe }: SpentOn, count: number): Promise<void> {
  if (count === 0 && chosen.lastLane === state.lastLane) return;
  const tokens = tokensOf(type.limits.rate, state);
  await sql.query(SPEND, [
    type.name,
    tokens === undefined ? null : tokens - count,
    tokens === undefined ? null : state.now,
    chosen.lastLane,
    probe?.id ?? null,
    probe?.fence ?? null,
  ]);
}

interface SpentOn {
  readonly type: Limited;
  readonly state: StateRow;
  readonly chosen: Chosen;
  readonly probe: { readonly id: string; readonly fence: number } | undefined;
}
