// A program that uses the embedded server of the data folder in its first argument. It prints one JSON line when it is
// attached, answers each line of its input ("ask") with the process id of the server, and leaves at the end of the input.
import pg from 'pg';
import { createInterface } from 'node:readline';
import { EmbeddedServer } from '../../../../src/platform/database/embedded/embedded-server.js';

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

async function main(dataDir: string): Promise<void> {
  const server = new EmbeddedServer({ dataDir, database: 'photosafe' });
  const started = Date.now();
  const url = await server.url();
  say({ event: 'attached', url, afterMs: Date.now() - started });
  for await (const line of createInterface({ input: process.stdin })) if (line === 'ask') await answer(url);
  await server.release();
  say({ event: 'released' });
}

/** Keeps trying: the server comes back by itself. */
async function answer(url: string): Promise<void> {
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ started: string }>('SELECT pg_postmaster_start_time()::text AS started');
      say({ event: 'answer', ...rows[0] });
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

void main(process.argv[2] ?? '');
