import { Logger } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { onStopSignal } from './stop-signals.js';

interface Stoppable {
  stop(): Promise<void>;
}

/**
 * How long everything together may take to end: running work is handed back, requests end, the database is closed.
 * Smaller cuts that off; larger runs into the 30 s after which Kubernetes kills.
 */
const STOP_WITHIN_MS = 25_000;
/** How long a start that is under way (it may be making a database) is waited for, so that it can be undone. */
const START_WITHIN_MS = 5_000;

const logger = new Logger('Shutdown');

/**
 * Starts something and stops it at the first SIGINT or SIGTERM. Ends the process: 0 when all ended cleanly, 1 when not or
 * when it had to be cut off. Rejects when the start fails.
 */
export async function runUntilStopped(start: () => Promise<Stoppable>): Promise<void> {
  const asked = new Promise<NodeJS.Signals>((resolve) => void onStopSignal(resolve));
  const starting = start();
  const early = await Promise.race([asked, starting.then(() => undefined)]);
  logger.log({ message: 'stopping', signal: early ?? (await asked) });
  const running = await Promise.race([starting.catch(() => undefined), sleep(START_WITHIN_MS, undefined)]);
  const ended = await Promise.race([stopped(running), sleep(STOP_WITHIN_MS, false)]);
  if (ended) logger.log({ message: 'stopped' });
  else logger.error({ message: 'did not stop cleanly', withinMs: STOP_WITHIN_MS });
  process.exit(ended ? 0 : 1);
}

async function stopped(running: Stoppable | undefined): Promise<boolean> {
  try {
    await running?.stop();
    return true;
  } catch (error) {
    logger.error({ message: 'failed to stop', err: error });
    return false;
  }
}
