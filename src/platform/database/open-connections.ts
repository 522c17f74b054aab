import type pg from 'pg';

type Emitter = Pick<pg.Pool, 'on'>;

/**
 * The connections of this process by their age. A network that has failed does not say so: the kernel goes on trying for a
 * quarter of an hour, and whoever waits for an answer, or takes an idle connection from a pool, waits with it.
 */
export class OpenConnections {
  private readonly openedMs = new Map<pg.Client, number>();

  watchPool(pool: Emitter): void {
    pool.on('connect', (client) => {
      this.openedMs.set(client, performance.now());
    });
    // TypeORM has opened one before anybody could watch it: known from when it is first lent out.
    pool.on('acquire', (client) => {
      if (!this.openedMs.has(client)) this.openedMs.set(client, -Infinity);
    });
    pool.on('remove', (client) => {
      this.openedMs.delete(client);
    });
  }

  watch(client: pg.Client): void {
    this.openedMs.set(client, performance.now());
    client.once('end', () => {
      this.openedMs.delete(client);
    });
  }

  /** Those that were opened before then (as `performance.now()` has it) break, as if the other side had closed them. */
  breakOlderThan(beforeMs: number): void {
    for (const [client, openedMs] of this.openedMs) if (openedMs < beforeMs) client.connection.stream.destroy();
  }
}
