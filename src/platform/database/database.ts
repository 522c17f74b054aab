import { Injectable, Optional } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import pg from 'pg';
import { DataSource, type QueryRunner } from 'typeorm';
import { Metrics } from '../metrics/metrics.js';
import { connectionConfig } from './connection-config.js';
import { DatabaseServer } from './database-server.js';
import { type Heard, OpenConnections } from './open-connections.js';
import { retrySerializationFailures } from './retry-transaction.js';
import { statementName } from './statement-name.js';
import type { Sql, Transaction } from './transaction.js';

export interface PoolOptions {
  readonly max: number;
  /** Shown in pg_stat_activity and as the label `pool` of the metrics. */
  readonly applicationName: string;
  /** Server settings of each session, such as { statement_timeout: '0' }. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Statements are sent as they come, not when the one before is answered. */
  readonly pipeline?: boolean;
}

/** A pg.Pool inside TypeORM's driver, which does not give its type. */
interface PostgresDriver {
  readonly master: pg.Pool;
}

/** The way to the database for everything that is not plain CRUD through a TypeORM repository. */
@Injectable()
export class Database implements Sql {
  private readonly connections = new OpenConnections();

  constructor(
    @InjectDataSource() readonly dataSource: DataSource,
    private readonly server: DatabaseServer,
    @Optional() private readonly metrics?: Metrics,
  ) {
    metrics?.watchPool('requests', this.pool);
    this.connections.watchPool(this.pool);
  }

  /** Where the database was when this process started; the embedded one stays there. */
  get url(): string {
    return (this.dataSource.options as { url?: string }).url ?? '';
  }

  /** Runs one statement on any connection of the pool. Not retried. Rejects with pg's DatabaseError. */
  async query<Row extends object = Record<string, unknown>>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    const { rows } = await this.pool.query<Row>(text, [...values]);
    return rows;
  }

  /**
   * The same with a prepared statement on each connection: for constant texts that take longer to plan than to run, such
   * as look-ups by primary key in a view.
   */
  readonly prepared: Sql = {
    query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await this.pool.query<Row>({ name: statementName(text), text, values: [...values] })).rows,
  };

  /**
   * Runs `work` in a transaction (READ COMMITTED), commits, and gives its result. When the transaction loses against
   * another one (40001, 40P01) all of `work` runs again, at most a few times: it must have no effects of its own
   * outside the transaction, except through `afterCommit`.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return retrySerializationFailures(() => this.once(work));
  }

  /** A pool of its own, for whoever must not compete with requests. Its user ends it. */
  createPool(options: PoolOptions): pg.Pool {
    const { max, pipeline } = options;
    const pool = new pg.Pool({ ...connectionConfig(this.url, options), max, pipeline });
    pool.on('error', () => undefined); // an idle connection broke; the pool has dropped it already
    // One that is lent out breaks between two statements of a transaction: its next statement says so.
    pool.on('connect', (client) => client.on('error', () => undefined));
    this.connections.watchPool(pool);
    this.metrics?.watchPool(options.applicationName, pool);
    return pool;
  }

  /**
   * A connection of its own (LISTEN, session locks). Its user listens to 'end', which comes when it breaks, connects
   * anew then, and ends it at last.
   */
  async connect(applicationName: string, settings?: Readonly<Record<string, string>>): Promise<pg.Client> {
    const client = new pg.Client(connectionConfig(await this.server.url(), { applicationName, settings }));
    client.on('error', () => undefined); // 'end' follows
    await client.connect();
    this.connections.watch(client);
    return client;
  }

  /** What has been received so far, on each connection. */
  heard(): Heard {
    return this.connections.heard();
  }

  /** For whoever has found that some connections from then answer no more: breaks those on which nothing has come since. */
  breakSilentSince(heard: Heard): void {
    this.connections.breakSilentSince(heard);
  }

  private async once<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    const actions: (() => void)[] = [];
    try {
      await runner.startTransaction();
      const result = await work(transactionOn(runner, actions));
      await runner.commitTransaction();
      for (const action of actions) action();
      return result;
    } catch (error) {
      // On a broken connection the server has rolled back by itself.
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  }

  private get pool(): pg.Pool {
    return (this.dataSource.driver as unknown as PostgresDriver).master;
  }
}

function transactionOn(runner: QueryRunner, actions: (() => void)[]): Transaction {
  return {
    manager: runner.manager,
    async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
      const client = (await runner.connect()) as pg.PoolClient;
      return (await client.query<Row>(text, [...values])).rows;
    },
    afterCommit(action) {
      actions.push(action);
    },
  };
}
