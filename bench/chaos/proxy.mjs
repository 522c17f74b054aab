import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** Stands between a worker and PostgreSQL and does what networks do. */
export class FaultProxy {
  #pairs = new Set();
  #silent = false;

  static async before(serverPort) {
    const listener = createServer();
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return new FaultProxy(listener, serverPort);
  }

  constructor(listener, serverPort) {
    Object.assign(this, { listener, serverPort });
    listener.on('connection', (client) => this.#accept(client));
  }

  get port() {
    return this.listener.address().port;
  }

  /** Every connection breaks, and both sides hear of it. */
  drop() {
    for (const pair of this.#pairs) this.#end(pair);
  }

  /** Nothing passes any more on the connections there are, and nobody is told. New ones are fine. */
  silence() {
    for (const pair of this.#pairs) {
      pair.silent = true;
      for (const socket of [pair.client, pair.server]) socket.pause();
    }
  }

  /** Nothing passes at all, on new connections neither, until {@link mend}. */
  cutOff() {
    this.#silent = true;
    this.silence();
  }

  /** Those that were silent break: the network's memory of them is gone. */
  mend() {
    this.#silent = false;
    for (const pair of this.#pairs) if (pair.silent) this.#end(pair);
  }

  async close() {
    this.drop();
    this.listener.close();
    await once(this.listener, 'close');
  }

  #accept(client) {
    const server = connect(this.serverPort, '127.0.0.1');
    const pair = { client, server, silent: false };
    this.#pairs.add(pair);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ]) {
      from.on('error', () => undefined);
      from.once('close', () => this.#closed(pair));
      from.on('data', (bytes) => {
        if (!to.write(bytes)) from.pause();
      });
      to.on('drain', () => {
        if (!pair.silent) from.resume();
      });
    }
    if (this.#silent) {
      pair.silent = true;
      for (const socket of [client, server]) socket.pause();
    }
  }

  /** While a connection is silent, its ends do not hear of each other's. */
  #closed(pair) {
    if (!pair.silent) this.#end(pair);
  }

  #end(pair) {
    this.#pairs.delete(pair);
    pair.client.destroy();
    pair.server.destroy();
  }
}
