import { createServer } from 'node:http';
import { percentile } from '../harness/statistics.mjs';

/** Every event of these receivers is timed, of the others only counted. */
const TIMED_EVERY = 10;

const receivers = new Map();
let server;

function receive(request, response) {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    response.writeHead(204).end();
    const now = Date.now();
    const receiver = receivers.get(request.url);
    for (const { id, at } of JSON.parse(Buffer.concat(chunks)).data.events) {
      receiver.events += 1;
      receiver.rows += Number(id);
      if (receiver.isTimed) receiver.lagsMs.push(now - Date.parse(at));
    }
  });
}

const commands = {
  async open({ count }) {
    for (let i = 0; i < count; i += 1) {
      receivers.set(`/${i}`, { events: 0, rows: 0, lagsMs: [], isTimed: i % TIMED_EVERY === 0 });
    }
    server = createServer(receive);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server.address().port;
  },
  report({ events, rows }) {
    const all = [...receivers.values()];
    const lags = all.flatMap((receiver) => receiver.lagsMs);
    const isComplete = (receiver) => receiver.events === events && receiver.rows === rows;
    const delivered = all.reduce((sum, one) => sum + (isComplete(one) ? events : Math.min(one.events, events - 1)), 0);
    return {
      complete: all.filter(isComplete).length,
      delivered: delivered / (events * all.length),
      p50Ms: percentile(lags, 50) ?? 0,
      p99Ms: percentile(lags, 99) ?? 0,
    };
  },
  close() {
    server.closeAllConnections();
    server.close();
  },
};

process.on('message', async ({ command, ...job }) => {
  try {
    process.send({ outcome: (await commands[command](job)) ?? null });
  } catch (error) {
    process.send({ error: error.stack });
  }
});
