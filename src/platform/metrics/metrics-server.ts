import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Settings } from '../config/settings.js';
import { unavailable } from '../errors/app-error.js';
import { Metrics } from './metrics.js';

/**
 * The metrics of a process that has no API. Whoever reaches the port reads them without a token: they hold counts and the
 * names of task types and queues, and nothing of what tasks are about.
 */
@Injectable()
export class MetricsServer implements BeforeApplicationShutdown {
  private server: Server | undefined;

  constructor(
    private readonly metrics: Metrics,
    private readonly settings: Settings,
  ) {}

  /**
   * Gives the port; undefined when none is set, or this is a cell, which has its worker's settings and would fight it for
   * the port. @throws unavailable `port_taken`.
   */
  async start(): Promise<number | undefined> {
    const { metricsPort, host, workerCell } = this.settings;
    if (metricsPort === undefined || workerCell) return undefined;
    this.server = createServer(this.answer).listen(metricsPort, host);
    try {
      await once(this.server, 'listening');
    } catch (cause) {
      const message = `cannot listen on ${host}:${String(metricsPort)}: set PHOTOSAFE_METRICS_PORT`;
      throw unavailable('port_taken', message, { cause });
    }
    const { port } = this.server.address() as AddressInfo;
    new Logger(MetricsServer.name).log({ message: 'metrics listening', host, port });
    return port;
  }

  beforeApplicationShutdown(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private readonly answer: RequestListener = (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    this.metrics.registry.metrics().then(
      (text) => response.writeHead(200, { 'Content-Type': this.metrics.registry.contentType }).end(text),
      (error: unknown) => {
        new Logger(MetricsServer.name).error({ message: 'metrics failed', err: error });
        response.writeHead(500).end();
      },
    );
  };
}
