import type { NestExpressApplication } from '@nestjs/platform-express';
import { SwaggerModule } from '@nestjs/swagger';
import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
import type { IncomingMessage } from 'node:http';
import { refuseUnreadableBody, tellMalformedJson } from './content-type.js';
import { openApiDocument } from './openapi.js';
import { ProblemDetailsFilter } from './problem-details.filter.js';
import { Metrics } from '../metrics/metrics.js';
import { requestLogging } from './request-logging.js';
import { requestMetrics } from './request-metrics.js';
import { requestTracing } from './request-tracing.js';
import { Tracing } from '../tracing/tracing.js';
import { InputValidationPipe } from './validation.pipe.js';

/** JSON bodies are ids and small facts; files come as multipart, which has limits of its own. */
const LARGEST_JSON_BYTES = 1_048_576;
/** What is a little too large for a result or a checkpoint of an external worker is refused by name, not by size alone. */
const LARGEST_REPORT_BYTES = 2 * LARGEST_JSON_BYTES;
/** A graph may have thousands of nodes. */
const LARGEST_GRAPH_BYTES = 8 * LARGEST_JSON_BYTES;

export const API_PREFIX = 'api';

/** All that the server and the tests must do alike. The application is created with `bodyParser: false`. */
export function configureApp(app: NestExpressApplication): void {
  app.disable('x-powered-by');
  const { spans } = app.get(Tracing);
  if (spans !== undefined) app.use(requestTracing(spans));
  app.use(requestLogging);
  app.use(requestMetrics(app.get(Metrics)));
  app.use(securityHeaders());
  app.use(versionAlias);
  app.use(leadToDocs);
  // Not strict: what is JSON but no object is refused by InputValidationPipe, which says so.
  app.useBodyParser('json', {
    limit: LARGEST_GRAPH_BYTES,
    type: isJsonFor(/^\/api\/workflows\/?(\?|$)/),
    strict: false,
  });
  app.useBodyParser('json', {
    limit: LARGEST_REPORT_BYTES,
    type: isJsonFor(/^\/api\/external\/attempts\//),
    strict: false,
  });
  app.useBodyParser('json', { limit: LARGEST_JSON_BYTES, strict: false });
  app.use(tellMalformedJson);
  app.use(refuseUnreadableBody);
  app.setGlobalPrefix(API_PREFIX);
  app.useGlobalPipes(new InputValidationPipe());
  app.useGlobalFilters(new ProblemDetailsFilter());
  SwaggerModule.setup(`${API_PREFIX}/docs`, app, () => openApiDocument(app), {
    jsonDocumentUrl: `${API_PREFIX}/openapi.json`,
    raw: ['json'],
    customSiteTitle: 'PhotoSafe API',
    swaggerOptions: { persistAuthorization: true, displayOperationId: true },
  });
}

const isJsonFor =
  (path: RegExp) =>
  (request: IncomingMessage): boolean =>
    path.test(request.url ?? '') && /^application\/json\b/i.test(request.headers['content-type'] ?? '');

/** Strict, and yet right for Swagger UI from our own origin over plain HTTP. TLS and its HSTS are the proxy's business. */
const securityHeaders = (): ReturnType<typeof helmet> =>
  helmet({
    contentSecurityPolicy: { directives: { 'upgrade-insecure-requests': null } },
    strictTransportSecurity: false,
  });

/** `/api/v1/…` is `/api/…`: routed as one, so that they cannot differ and the document lists each path once. */
function versionAlias(request: Request, _response: Response, next: NextFunction): void {
  request.url = request.url.replace(/^\/api\/v1(?=[/?]|$)/, '/api');
  next();
}

/** Whoever opens the bare address in a browser wants to see something. */
function leadToDocs(request: Request, response: Response, next: NextFunction): void {
  if (request.path === '/') response.redirect(`/${API_PREFIX}/docs`);
  else next();
}
