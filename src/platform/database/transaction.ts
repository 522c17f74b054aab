import type { EntityManager } from 'typeorm';

/** Runs one parametrised statement and gives its rows (those of RETURNING for a change). */
export interface Sql {
  query<Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/**
 * A database transaction in the hands of its user. Repository methods take one (or a plain `Sql`) as their first
 * argument, so that what belongs together cannot be split by accident.
 */
export interface Transaction extends Sql {
  /** For TypeORM repositories inside the transaction. */
  readonly manager: EntityManager;
  /** Runs once the transaction has committed, never when it rolls back. Must not throw; for notices and metrics only. */
  afterCommit(action: () => void): void;
}
