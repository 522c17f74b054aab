import { CLAIM_SUSPECT } from '../isolation/isolation.sql.js';
import type { ClaimedRow } from '../worker/attempt.js';
import { CLAIM_CHOSEN, TYPES_WITH_SUSPECTS } from './gate.sql.js';
import type { LimitsSnapshot } from './limits-view.js';
import type { ClaimParts } from './queue-claims.js';

export interface SuspectClaimsOptions {
  readonly queues: readonly string[];
  readonly workerId: string;
  readonly types: readonly { readonly name: string; readonly version: number; readonly queue: string }[];
}

type KnownType = SuspectClaimsOptions['types'][number];

/** Where a cell's tasks come from: one suspect at a time, within the same limits as all others. */
export class SuspectClaims {
  constructor(
    private readonly parts: ClaimParts,
    private readonly options: SuspectClaimsOptions,
  ) {}

  async claim(): Promise<ClaimedRow | undefined> {
    const snapshot = await this.parts.view.fresh();
    const queues = this.options.queues.filter((queue) => !snapshot.queues.get(queue)?.pause);
    return (await this.claimPlain(snapshot, queues)) ?? (await this.claimLimited(snapshot, queues));
  }

  private async claimPlain(snapshot: LimitsSnapshot, queues: readonly string[]): Promise<ClaimedRow | undefined> {
    const free = queues.filter((queue) => snapshot.queues.get(queue)?.limits.concurrency === undefined);
    const types = this.options.types.filter(({ name }) => !snapshot.types.has(name));
    const values = [free, ...namesAndVersions(types), this.options.workerId, snapshot.revision];
    const [row] = await this.parts.pool.query<ClaimedRow>(CLAIM_SUSPECT, values);
    return row;
  }

  private async claimLimited(snapshot: LimitsSnapshot, queues: readonly string[]): Promise<ClaimedRow | undefined> {
    const limited = this.options.types.filter(({ name, queue }) => {
      const type = snapshot.types.get(name);
      const isLimited = type !== undefined || snapshot.queues.get(queue)?.limits.concurrency !== undefined;
      return isLimited && !type?.pause && queues.includes(queue);
    });
    if (limited.length === 0) return undefined;
    const values = [limited.map(({ name }) => name), queues];
    const found = await this.parts.pool.query<{ type: string }>(TYPES_WITH_SUSPECTS, values);
    for (const type of limited.filter(({ name }) => found.some((one) => one.type === name))) {
      const row = await this.claimOne(snapshot, type);
      if (row) return row;
    }
    return undefined;
  }

  private async claimOne(snapshot: LimitsSnapshot, type: KnownType): Promise<ClaimedRow | undefined> {
    const { name, queue } = type;
    const [types, versions] = namesAndVersions([type]);
    const { rows } = await this.parts.gate.claim<ClaimedRow>({
      ...{ snapshot, queue, type: snapshot.types.has(name) ? name : undefined, wanted: 1, suspect: true },
      known: { by: 'own', types, versions },
      take: (sql, ids) => sql.query<ClaimedRow>(CLAIM_CHOSEN, [this.options.workerId, ids]),
    });
    return rows[0];
  }
}

const namesAndVersions = (types: readonly KnownType[]): [names: string[], versions: number[]] => [
  types.map(({ name }) => name),
  types.map(({ version }) => version),
];
