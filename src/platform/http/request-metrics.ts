import type { NextFunction, Request, Response } from 'express';
import { Histogram } from 'prom-client';
import type { Metrics } from '../metrics/metrics.js';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/**
 * Measures requests. Labels are a bounded set whatever is asked for: the route as it is declared (`none` when there is
 * none for the path), the method if it is one of the usual, and the class of the status.
 */
export function requestMetrics({ registry }: Metrics) {
  const seconds = new Histogram({
    name: 'photosafe_http_request_seconds',
    help: 'From the arrival of a request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers: [registry],
  });
  return (request: Request, response: Response, next: NextFunction): void => {
    const startedAt = performance.now();
    response.once('close', () => {
      const method = METHODS.has(request.method) ? request.method : 'OTHER';
      const status = `${String(Math.floor(response.statusCode / 100))}xx`;
      seconds.observe({ method, route: routeOf(request), status }, (performance.now() - startedAt) / 1_000);
    });
    next();
  };
}

/** Express leaves the route there once it has found one; one with a star is what answers all that has none. */
export function routeOf(request: Request): string {
  const path = (request.route as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' && !path.includes('*') ? path : 'none';
}
