import type { Redis } from 'ioredis';

export interface RedisOptions {
  readonly url: string;
  /** Shown in CLIENT LIST. */
  readonly connectionName: string;
  /**
   * How long a connection may take, and then each answer. Shorter gives up on a busy Redis, longer keeps callers waiting
   * for one that hangs.
   */
  readonly answerMs: number;
}

/**
 * A connection that has been let in and answers. It does not reconnect and keeps no commands for later: whoever uses it
 * wants to know at once that Redis is away. The driver is loaded by the first call. @throws with the reason in its message.
 */
export async function openRedis({ url, connectionName, answerMs }: RedisOptions): Promise<Redis> {
  const { Redis } = await import('ioredis');
  const client = new Redis(url, {
    connectionName,
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: null,
    retryStrategy: () => null,
    connectTimeout: answerMs,
    commandTimeout: answerMs,
  });
  let reason: unknown;
  client.on('error', (error: unknown) => (reason ??= error)); // the first says more than what follows from it
  try {
    await within(answerMs, client.connect());
    await client.ping();
    return client;
  } catch (error) {
    client.disconnect();
    // What the driver rejects with is often just that the connection is closed; why, it has said before. Neither is kept
    // as the cause: it would be logged with its command, which is AUTH and its password.
    // eslint-disable-next-line preserve-caught-error
    throw new Error(redisReason(reason ?? error));
  }
}

/** What went wrong, in words. Errors of the driver also carry the command, which may hold the password: never log those. */
export function redisReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return error.message === '' ? (code ?? 'no connection') : error.message;
}

/** Rejects when there is no answer in time; what comes later is of no interest. */
export function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`no answer within ${String(timeoutMs)} ms`));
    }, timeoutMs);
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}
