import type { Socket } from 'node:net';
import type pg from 'pg';

type Emitter = Pick<pg.Pool, 'on'>;

/** How many bytes each connection had received at one moment. */
export type Heard = ReadonlyMap<pg.Client, number>;

/**
 * The connections of this process. A network that has failed does not say so: the kernel goes on trying for a quarter of an
 * hour, and whoever waits for an answer, or takes an idle connection from a pool, waits with it.
 */
export class OpenConnections {
  private readonly open = new Set<pg.Client>();

  watchPool(pool: Emitter): void {
    pool.on('connect', (client) => {
      this.open.add(client);
    });
    // TypeORM has opened one before anybody could watch it: known from when it is first lent out.
    pool.on('acquire', (client) => {
      this.open.add(client);
    });
    pool.on('remove', (client) => {
      this.open.delete(client);
    });
  }

  watch(client: pg.Client): void {
    this.open.add(client);
    client.once('end', () => {
      this.open.delete(client);
    });
  }

  heard(): Heard {
    return new Map([...this.open].map((client) => [client, receivedBy(client)]));
  }

  /** Those that have received nothing since break, as if the other side had closed them. */
  breakSilentSince(heard: Heard): void {
    for (const client of this.open) {
      if (receivedBy(client) === heard.get(client)) client.connection.stream.destroy();
    }
  }
}

/** The types of pg know of a stream only. */
const receivedBy = (client: pg.Client): number => (client.connection.stream as Socket).bytesRead;
