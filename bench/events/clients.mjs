import { connect } from 'node:net';
import { percentile } from '../harness/statistics.mjs';

/** Every event of these clients is timed, of the others only counted: reading clocks must not become what is measured. */
const TIMED_EVERY = 25;
const ROW = Buffer.from('"id":"');
const FRAME_END = Buffer.from('\n\n');
const QUOTE = 0x22;

/** One that follows the stream, as cheaply as can be: a socket, and how many events and which have come. */
class Client {
  events = 0;
  /** Sum of the numbers of audit rows: with the count, it tells that each has come once. */
  rows = 0;
  lagsMs = [];
  head = '';
  #rest = Buffer.alloc(0);

  constructor({ port, token }, isTimed) {
    this.isTimed = isTimed;
    this.socket = connect(port, '127.0.0.1', () => {
      this.socket.write(`GET /api/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    });
    this.socket.on('error', () => undefined);
    this.ready = new Promise((resolve) => this.socket.on('data', (data) => this.#read(data, resolve)));
  }

  #read(data, resolve) {
    if (!this.head.includes('retry:')) {
      this.head += data.toString('latin1');
      if (this.head.includes('retry:')) resolve();
      return;
    }
    const bytes = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    const end = bytes.lastIndexOf(FRAME_END) + FRAME_END.length;
    const now = Date.now();
    for (let at = bytes.indexOf(ROW); at !== -1 && at < end; at = bytes.indexOf(ROW, at + 1)) {
      let row = 0;
      let place = at + ROW.length;
      for (; bytes[place] !== QUOTE; place += 1) row = row * 10 + bytes[place] - 48;
      this.events += 1;
      this.rows += row;
      if (this.isTimed) this.lagsMs.push(now - Date.parse(bytes.latin1Slice(place + 8, place + 32)));
    }
    this.#rest = end < FRAME_END.length ? bytes : bytes.subarray(end);
  }
}

let clients = [];
let slow;

const commands = {
  async open({ count, withSlow, ...server }) {
    clients = Array.from({ length: count }, (_, i) => new Client(server, i % TIMED_EVERY === 0));
    await Promise.all(clients.map((client) => client.ready));
    if (!withSlow) return;
    slow = new Client(server, false);
    await slow.ready;
    slow.socket.pause();
  },
  report({ events, rows }) {
    const lags = clients.flatMap((client) => client.lagsMs);
    const delivered = clients.map((client) =>
      client.rows === rows ? client.events : Math.min(client.events, events - 1),
    );
    return {
      complete: clients.filter((client) => client.events === events && client.rows === rows).length,
      delivered: delivered.reduce((sum, count) => sum + count, 0) / (events * clients.length),
      p50Ms: percentile(lags, 50) ?? 0,
      p99Ms: percentile(lags, 99) ?? 0,
      slowEvents: slow?.events ?? 0,
    };
  },
  close() {
    for (const client of [...clients, ...(slow ? [slow] : [])]) client.socket.destroy();
    slow = undefined;
  },
};

process.on('message', async ({ command, ...job }) => {
  try {
    process.send({ outcome: (await commands[command](job)) ?? null });
  } catch (error) {
    process.send({ error: error.stack });
  }
});
