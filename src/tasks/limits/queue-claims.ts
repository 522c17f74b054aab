import { CLAIM } from '../queue/claim.sql.js';
import type { EnginePool } from '../queue/engine-pool.js';
import { laneRange, ownLane } from '../queue/lanes.sql.js';
import type { ClaimedRow } from '../worker/attempt.js';
import type { Gate, GateAnswer } from './gate.js';
import { CLAIM_CHOSEN, TYPES_WITH_WORK } from './gate.sql.js';
import { FROM_THE_START, type LanePlace, LanePosition, RETRY_MS } from './lane-position.js';
import type { LimitsSnapshot, LimitsView } from './limits-view.js';

export interface QueueClaimsOptions {
  readonly queue: string;
  readonly workerId: string;
  /** The types it works on, each up to a version. */
  readonly types: readonly { readonly name: string; readonly version: number }[];
}

/** What claims need of the engine. */
export interface ClaimParts {
  readonly pool: EnginePool;
  readonly view: LimitsView;
  readonly gate: Gate;
}

/**
 * Where one worker's tasks of one queue come from: the queue's own lane by one statement, as long as the queue has no limit;
 * all else through the gate. Whose turn it is goes round, so that neither a long lane nor a limited one is left waiting.
 */
export class QueueClaims {
  private turn = 0;
  private news = -1;
  private readonly notBeforeMs = new Map<string, number>();
  private readonly position = new LanePosition();

  constructor(
    private readonly parts: ClaimParts,
    private readonly options: QueueClaimsOptions,
  ) {}

  /** When something that was refused may be possible without anybody saying so; undefined when nothing is. */
  get retryInMs(): number | undefined {
    const times = [...this.notBeforeMs.values()];
    return times.length === 0 ? undefined : Math.max(1, Math.min(...times) - performance.now());
  }

  startAgain(): void {
    this.position.startAgain();
  }

  /** Under which revision of limits a new task may start without being claimed: one of a type and queue that have none. */
  straight({ name, version }: { readonly name: string; readonly version: number }): string | undefined {
    const { queues, types, revision } = this.parts.view.current;
    const queue = queues.get(this.options.queue);
    if (queue?.pause || queue?.limits.concurrency !== undefined || types.has(name)) return undefined;
    const isKnown = this.options.types.some((known) => known.name === name && known.version >= version);
    return isKnown ? revision : undefined;
  }

  /** What one statement may claim now; undefined while the queue has limits. */
  async plain(): Promise<PlainClaim | undefined> {
    const snapshot = await this.parts.view.fresh();
    const queue = snapshot.queues.get(this.options.queue);
    if (queue?.pause || queue?.limits.concurrency !== undefined) return undefined;
    return { ...this.plainTypes(snapshot), revision: snapshot.revision };
  }

  /** Of all its types, or of `only` some. */
  async claim(limit: number, only?: ReadonlySet<string>): Promise<ClaimedRow[]> {
    const snapshot = await this.parts.view.fresh();
    this.forgetOldNews();
    if (snapshot.queues.get(this.options.queue)?.pause) return [];
    const rows: ClaimedRow[] = [];
    for (const type of await this.inTurn(snapshot)) {
      if (type !== undefined && only?.has(type) === false) continue;
      if (rows.length >= limit) break;
      try {
        rows.push(...(await this.claimOf(snapshot, type, { wanted: limit - rows.length, only })));
      } catch (error) {
        if (rows.length === 0) throw error;
        this.notBeforeMs.set(type ?? '', performance.now() + RETRY_MS);
        break; // what was claimed counts, even where another statement was not answered
      }
    }
    return rows;
  }

  private claimOf(snapshot: LimitsSnapshot, type: string | undefined, wanted: Wanted): Promise<readonly ClaimedRow[]> {
    const queue = snapshot.queues.get(this.options.queue);
    const isPlain = type === undefined && queue?.limits.concurrency === undefined;
    return isPlain ? this.claimPlain(snapshot, wanted) : this.claimLimited(snapshot, type, wanted);
  }

  /** Undefined stands for the queue's own lane. Types are looked at only where there is something to claim. */
  private async inTurn(snapshot: LimitsSnapshot): Promise<(string | undefined)[]> {
    const now = performance.now();
    const limited = this.options.types.flatMap(({ name }) => {
      const type = snapshot.types.get(name);
      return type === undefined || type.pause || (this.notBeforeMs.get(name) ?? 0) > now ? [] : [name];
    });
    if (limited.length === 0) return [undefined];
    const ranges = limited.map((name) => laneRange(ownLane(this.options.queue, name)));
    const froms = ranges.map(([from]) => from);
    const upTos = ranges.map(([, upTo]) => upTo);
    const found = await this.parts.pool.prepared.query<{ type: string }>(TYPES_WITH_WORK, [limited, froms, upTos]);
    const all = [undefined, ...found.map(({ type }) => type)];
    this.turn = (this.turn + 1) % all.length;
    return [...all.slice(this.turn), ...all.slice(0, this.turn)];
  }

  private async claimPlain(snapshot: LimitsSnapshot, { wanted, only }: Wanted): Promise<ClaimedRow[]> {
    const { queue, workerId } = this.options;
    const { names, versions } = this.plainTypes(snapshot, only);
    if (names.length === 0) return [];
    const { revision } = snapshot;
    const claimFrom = (place: LanePlace, limit: number): Promise<ClaimedRow[]> =>
      this.parts.pool.prepared.query<ClaimedRow>(CLAIM, [workerId, queue, names, limit, versions, revision, ...place]);
    // Of some types only: where those come next says nothing about the others.
    if (only) return claimFrom(FROM_THE_START, wanted);
    const answer = await this.position.claim(wanted, revision, claimFrom);
    this.remember('', answer);
    return answer.rows;
  }

  private async claimLimited(
    snapshot: LimitsSnapshot,
    type: string | undefined,
    { wanted, only }: Wanted,
  ): Promise<readonly ClaimedRow[]> {
    const { queue, workerId, types } = this.options;
    const { names, versions } = type === undefined ? this.plainTypes(snapshot, only) : namesAndVersions(types);
    if (names.length === 0) return [];
    const answer = await this.parts.gate.claim<ClaimedRow>({
      ...{ snapshot, queue, type, wanted },
      known: { by: 'own', types: names, versions },
      take: (sql, ids) => sql.query<ClaimedRow>(CLAIM_CHOSEN, [workerId, ids]),
    });
    this.remember(type ?? '', answer);
    return answer.rows;
  }

  /** Those that have a lane of their own are left out: some of their tasks may be in the queue's yet, on their way. */
  private plainTypes(snapshot: LimitsSnapshot, only?: ReadonlySet<string>): { names: string[]; versions: number[] } {
    const isPlain = (name: string): boolean => !snapshot.types.has(name) && only?.has(name) !== false;
    return namesAndVersions(this.options.types.filter(({ name }) => isPlain(name)));
  }

  private remember(type: string, { retryInMs }: GateAnswer<unknown>): void {
    if (retryInMs === undefined) this.notBeforeMs.delete(type);
    else this.notBeforeMs.set(type, performance.now() + retryInMs);
  }

  private forgetOldNews(): void {
    const { news } = this.parts.view;
    const now = performance.now();
    if (news !== this.news) this.notBeforeMs.clear();
    else for (const [type, until] of this.notBeforeMs) if (until <= now) this.notBeforeMs.delete(type);
    this.news = news;
  }
}

export interface PlainClaim {
  readonly names: readonly string[];
  readonly versions: readonly number[];
  /** Of the limits under which it may. */
  readonly revision: string;
}

interface Wanted {
  readonly wanted: number;
  readonly only?: ReadonlySet<string>;
}

function namesAndVersions(types: QueueClaimsOptions['types']): { names: string[]; versions: number[] } {
  return { names: types.map(({ name }) => name), versions: types.map(({ version }) => version) };
}
