import { createServer, request, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Entrance } from '../../src/platform/http/entrance.js';

const HOST = '127.0.0.1';

describe('the entrance, when it closes', () => {
  /** What the request got, or how it failed. */
  const ask = (port: number): Promise<string> =>
    new Promise((resolve) => {
      request({ host: HOST, port, agent: false }, (response) => {
        text(response).then(resolve, () => resolve('cut off'));
      })
        .on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)))
        .end();
    });

  /** An entrance with one request inside, whose answer is in the test's hands. */
  async function withRequestInside(
    drainMs: number,
  ): Promise<{ entrance: Entrance; port: number; answer: Promise<string>; inside: ServerResponse }> {
    const entrance = new Entrance(drainMs);
    const port = await entrance.listen(0, HOST);
    const arrived = new Promise<ServerResponse>((resolve) => entrance.serve((_request, response) => resolve(response)));
    const answer = ask(port);
    return { entrance, port, answer, inside: await arrived };
  }

  it('lets nobody in and lets the one inside finish', async () => {
    const { entrance, port, answer, inside } = await withRequestInside(60_000);
    entrance.stopAccepting();
    expect(await ask(port)).toBe('ECONNREFUSED');
    const closed = entrance.beforeApplicationShutdown();
    inside.end('done');
    await closed;
    expect(await answer).toBe('done');
  });

  it('cuts off who does not finish in time', async () => {
    const { entrance, answer, inside } = await withRequestInside(50);
    inside.write('begun');
    await entrance.beforeApplicationShutdown();
    expect(await answer).toBe('cut off');
  });

  it('says in words that a port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, HOST, resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(new Entrance().listen(port, HOST)).rejects.toMatchObject({ code: 'port_taken' });
    await new Promise((resolve) => other.close(resolve));
  });
});
