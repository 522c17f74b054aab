import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Pool, QueryConfig } from 'pg';
import { Database } from '../../platform/database/database.js';
import { retrySerializationFailures } from '../../platform/database/retry-transaction.js';
import { sqlState } from '../../platform/database/sql-state.js';
import { statementName } from '../../platform/database/statement-name.js';
import type { Sql } from '../../platform/database/transaction.js';

/** Waits until all that was committed before it is on disk: commits in the log, where nothing else is written. */
const UNTIL_ON_DISK = `SELECT pg_logical_emit_message(true, 'photosafe', '')`;

const CONNECTIONS = 6;
const CONNECTIONS_BY_KEY = 4;
/** Fewer let one cancellation wait for another's handler, more are more connections of a process that cancels much. */
const PATIENT_CONNECTIONS = 2;

/**
 * Planner settings for the engine's statements, all of which are index look-ups. Statistics are always wrong on a table
 * that fills and empties within a minute: a plan made while it was empty would scan the whole backlog ever after.
 */
export const PLANNER = {
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  plan_cache_mode: 'force_generic_plan',
  jit: 'off',
};

/**
 * For statements that find the rows of a batch by an array of their keys and join the batch to them in memory. With no other
 * join allowed there is only one plan, and it can be kept: a nested loop would be as good today, but one that was planned
 * while the table was empty reads all of it ever after.
 */
export const PLANNER_BY_KEY = { ...PLANNER, enable_nestloop: 'off', enable_mergejoin: 'off' };

/**
 * A process that is stopped amid a transaction must not hold the rows of its tasks for ever: others wait to rescue them.
 * Smaller ends transactions of a process that is merely busy.
 */
export const IDLE_IN_TRANSACTION_MS = 10_000;

/**
 * The engine's own few connections, apart from what features use.
 *
 * `query` plans anew each time, with the sizes of arrays and tables as they are now. {@link prepared} plans once: for
 * statements whose shape leaves only one plan (no join, an index that satisfies the order) and whose latency counts.
 * {@link byKey} plans once as well, for those that join a batch with a table by its key: planning would cost a millisecond
 * each time, as much as settling forty attempts.
 */
@Injectable()
export class EnginePool implements Sql, OnApplicationShutdown {
  /**
   * How long an answer is waited for, from when it was asked for, before the connection is given up: a broken network does not
   * say that it is, and TCP takes a quarter of an hour to find out. Smaller gives up on a busy server.
   */
  answerWithinMs = 30_000;
  private pool: Pool | undefined;
  private poolByKey: Pool | undefined;
  private patientPool: Pool | undefined;

  constructor(private readonly database: Database) {}

  /** The same connections with prepared statements. */
  readonly prepared: Sql = { query: (text, values) => this.keptPlan(this.open(), text, values) };

  /** A few connections of their own, by {@link PLANNER_BY_KEY}. */
  readonly byKey: Sql = { query: (text, values) => this.keptPlan(this.openByKey(), text, values) };

  /**
   * For a statement whose own commit does not wait for the disk: `seen` is called with its rows as soon as others see them,
   * and they are given as soon as they are on disk. One round trip, because both are asked for at once.
   */
  async seenBeforeDurable<Row extends object>(
    text: string,
    values: readonly unknown[],
    seen: (rows: Row[]) => void,
  ): Promise<Row[]> {
    const client = await this.open().connect();
    const ask = <R extends object>(sql: string, given: readonly unknown[]) =>
      client.query<R>({ ...this.statement(sql, given), name: statementName(sql) });
    const answer = ask<Row>(text, values);
    const durable = ask(UNTIL_ON_DISK, []);
    durable.catch(() => undefined); // it is awaited below, unless there is nothing to wait for
    try {
      const { rows } = await answer;
      seen(rows);
      await durable;
      client.release();
      return rows;
    } catch (error) {
      client.release(true); // as a pool does after any error: the connection may be of no use any more
      throw error;
    }
  }

  /** All that others have committed and this process has seen is on disk. */
  async untilDurable(): Promise<void> {
    await this.prepared.query(UNTIL_ON_DISK);
  }

  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.open().query<Row>(this.statement(text, values))).rows;
  }

  /** All of `work` runs again when the transaction loses against another one. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return retrySerializationFailures(() => this.once(this.open(), work));
  }

  /**
   * The same where it may have to wait for a row that a handler holds in a transaction of its own: on connections of its own,
   * so that claims and what is added do not wait with it.
   */
  patientTransaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return retrySerializationFailures(() => this.once(this.openPatient(), work));
  }

  private async once<T>(pool: Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    const connection = { broken: false };
    const query = async <Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> => {
      try {
        return (await client.query<Row>(this.statement(text, values))).rows;
      } catch (error) {
        connection.broken ||= sqlState(error) === undefined; // not the server's answer
        throw error;
      }
    };
    try {
      await query('BEGIN');
      const result = await work({ query });
      await query('COMMIT');
      return result;
    } catch (error) {
      if (!connection.broken) await query('ROLLBACK').catch(() => (connection.broken = true));
      throw error;
    } finally {
      client.release(connection.broken);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.pool?.end(), this.poolByKey?.end(), this.patientPool?.end()]);
  }

  private async keptPlan<Row extends object>(
    pool: Pool,
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    return (await pool.query<Row>({ ...this.statement(text, values), name: statementName(text) })).rows;
  }

  private open(): Pool {
    return (this.pool ??= this.create('photosafe-engine', CONNECTIONS, PLANNER));
  }

  private openByKey(): Pool {
    return (this.poolByKey ??= this.create('photosafe-settling', CONNECTIONS_BY_KEY, PLANNER_BY_KEY));
  }

  private openPatient(): Pool {
    return (this.patientPool ??= this.create('photosafe-cancelling', PATIENT_CONNECTIONS, PLANNER));
  }

  private create(applicationName: string, max: number, planner: Readonly<Record<string, string>>): Pool {
    const settings = {
      ...planner,
      statement_timeout: String(this.answerWithinMs),
      idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_MS),
    };
    return this.database.createPool({ max, applicationName, settings, pipeline: true });
  }

  private statement(text: string, values: readonly unknown[]): QueryConfig & { query_timeout: number } {
    return { text, values: [...values], query_timeout: this.answerWithinMs };
  }
}
