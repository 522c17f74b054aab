import type { NextFunction, Request, Response } from 'express';
import { withLogFields } from '../logging/log-context.js';
import type { Spans } from '../tracing/tracing.js';
import { routeOf } from './request-metrics.js';
import { isProbe, pathOf } from './request-path.js';

/**
 * Has each request run in a span, which goes on from the caller's when it sends one (`traceparent`). Names and attributes
 * are those of OpenTelemetry's conventions for HTTP; the query, which may hold what is private, is left out.
 */
export function requestTracing(spans: Spans) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const path = pathOf(request);
    if (isProbe(path)) {
      next();
      return;
    }
    const { method } = request;
    const sent = request.headers.traceparent;
    const span = spans.open({
      name: method,
      kind: 'server',
      parent: typeof sent === 'string' ? sent : null,
      attributes: { 'http.request.method': method, 'url.path': path },
    });
    response.once('close', () => {
      const { statusCode } = response;
      const route = routeOf(request);
      if (route !== 'none') span.rename(`${method} ${route}`);
      const attributes = { 'http.response.status_code': statusCode, ...(route !== 'none' && { 'http.route': route }) };
      span.end(attributes, statusCode >= 500 ? `answered with ${String(statusCode)}` : undefined);
    });
    span.run(() => {
      withLogFields(span.logFields, next);
    });
  };
}
