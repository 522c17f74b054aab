import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/** One connection through the proxy. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** What a reply of the server meets on its way: it arrives, or the connection is cut instead. */
export type Verdict = 'pass' | 'cut';

/** Stands between a client and its PostgreSQL and does what networks do. */
export class FaultProxy {
  /** Looks at everything that the server says before it is passed on. */
  onReply: (reply: Buffer) => Verdict = () => 'pass';
  private readonly pairs = new Set<Pair>();
  /** How many connections were refused. */
  refused = 0;
  private refusing = false;

  static async before(databaseUrl: string): Promise<FaultProxy> {
    const server = createServer();
    const proxy = new FaultProxy(databaseUrl, server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  private constructor(
    private readonly databaseUrl: string,
    private readonly listener: Server,
  ) {
    listener.on('connection', (client) => this.accept(client));
  }

  /** The database, by way of the proxy. */
  get url(): string {
    const url = new URL(this.databaseUrl);
    url.searchParams.delete('host');
    url.host = `127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
    return url.href;
  }

  /** Breaks every connection there is. */
  cut(): void {
    for (const pair of this.pairs) this.end(pair);
  }

  /** The database is away: connections break, and new ones are refused, until {@link restore}. */
  takeAway(): void {
    this.refusing = true;
    this.cut();
  }

  restore(): void {
    this.refusing = false;
  }

  /** Nothing passes any more on the connections there are; nobody is told. New ones are fine. */
  blackhole(): void {
    for (const { client, server } of this.pairs) {
      client.unpipe(server).pause();
      server.removeAllListeners('data').pause();
    }
  }

  async close(): Promise<void> {
    this.cut();
    this.listener.close();
    await once(this.listener, 'close');
  }

  private accept(client: Socket): void {
    client.on('error', () => undefined);
    if (this.refusing) {
      this.refused += 1;
      client.destroy();
      return;
    }
    const server = this.connectToServer();
    const pair = { client, server };
    this.pairs.add(pair);
    server.on('error', () => undefined);
    for (const socket of [client, server]) socket.once('close', () => this.end(pair));
    client.pipe(server);
    server.on('data', (reply) => {
      if (this.onReply(reply) === 'cut') this.end(pair);
      else client.write(reply);
    });
  }

  private connectToServer(): Socket {
    const url = new URL(this.databaseUrl);
    const folder = url.searchParams.get('host');
    const port = url.port === '' ? 5432 : Number(url.port);
    return folder?.startsWith('/') ? connect(`${folder}/.s.PGSQL.${port}`) : connect(port, url.hostname);
  }

  private end(pair: Pair): void {
    this.pairs.delete(pair);
    pair.client.destroy();
    pair.server.destroy();
  }
}
