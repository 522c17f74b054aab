import type { BeforeApplicationShutdown } from '@nestjs/common';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AppError, unavailable } from '../errors/app-error.js';
import { problem } from './problem.js';

/**
 * How long requests that are under way may take to end once shutdown has begun. Smaller cuts off answers that were
 * nearly done; larger lets one slow client hold up the restart.
 */
const DRAIN_MS = 5_000;

/**
 * The open port. It is there before the application is, which may have to wait for its database: until then it says
 * "alive, not ready" instead of refusing connections, and a port that is taken is told at once.
 */
export class Entrance implements BeforeApplicationShutdown {
  private listener: RequestListener = answerWhileStarting;
  private readonly server: Server = createServer((request, response) => {
    this.listener(request, response);
  });
  private closed: Promise<void> | undefined;

  constructor(private readonly drainMs = DRAIN_MS) {}

  /** Gives the port, which the system chose when `port` is 0. */
  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (error) => {
        reject(cannotListen(error, port, host));
      });
      this.server.listen(port, host, resolve);
    });
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on `listener` answers. */
  serve(listener: RequestListener): void {
    this.listener = listener;
  }

  /** No new connections; idle ones are closed, and those at work are closed when they have answered. */
  stopAccepting(): void {
    this.closed ??= new Promise((resolve) =>
      this.server.close(() => {
        resolve();
      }),
    );
  }

  /** Nest calls this after `onModuleDestroy` (event streams have ended) and before the database is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopAccepting();
    await Promise.race([this.closed, sleep(this.drainMs, undefined, { ref: false })]);
    this.server.closeAllConnections();
  }
}

function answerWhileStarting(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url?.split('?', 1)[0]?.replace(/^\/api\/v1\//, '/api/');
  if (path === '/api/health/live') {
    send(response, 200, { status: 'ok' });
  } else if (path === '/api/health/ready') {
    send(response, 503, { status: 'unavailable', reason: 'starting: waiting for the database' });
  } else {
    response.setHeader('Content-Type', 'application/problem+json; charset=utf-8');
    const starting = problem(503, 'starting', 'PhotoSafe is starting and waits for its database. Try again shortly.');
    send(response, 503, { ...starting, instance: path });
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.writeHead(status, { 'Cache-Control': 'no-store', 'Retry-After': '2' });
  response.end(JSON.stringify(body));
}

function cannotListen(cause: Error, port: number, host: string): AppError {
  if ('code' in cause && cause.code === 'EADDRINUSE') {
    return unavailable('port_taken', `Port ${port} of ${host} is taken. Set another: PORT=3001, or --port 3001.`, {
      cause,
    });
  }
  const message = `Cannot listen on ${host}:${port} (${cause.message}). Set HOST and PORT to what this machine has.`;
  return unavailable('cannot_listen', message, { cause });
}
