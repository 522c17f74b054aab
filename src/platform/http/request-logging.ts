import { Logger } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { randomUUID } from 'node:crypto';
import { type LogFields, logFields, withLogFields } from '../logging/log-context.js';
import { isProbe, pathOf } from './request-path.js';

/** What a caller may send as X-Request-Id: enough for any tracing scheme, nothing that could forge a log line. */
const ACCEPTABLE_REQUEST_ID = /^[\w.:-]{1,128}$/;

const logger = new Logger('Http');

/**
 * Gives each request its id (the caller's own when it is usable), which the answer carries as X-Request-Id and every
 * log line as requestId, and logs one line when it has ended: method, path without the query (which may hold what is
 * private), outcome.
 */
export function requestLogging(request: Request, response: Response, next: NextFunction): void {
  const startedAt = performance.now();
  const sent = request.headers['x-request-id'];
  const requestId = typeof sent === 'string' && ACCEPTABLE_REQUEST_ID.test(sent) ? sent : randomUUID();
  response.setHeader('X-Request-Id', requestId);
  const surroundings = logFields(); // those of the moment in which a response closes may be another request's
  response.once('close', () => {
    write(request, response, { ...surroundings, requestId, durationMs: Math.round(performance.now() - startedAt) });
  });
  withLogFields({ requestId }, next);
}

/** The id of the request that `response` answers. */
export const requestIdOf = (response: Response): string => String(response.getHeader('X-Request-Id'));

function write(request: Request, response: Response, fields: LogFields): void {
  const path = pathOf(request);
  const actor: unknown = response.locals.actor; // whoever authenticated the caller left its label there
  const line = {
    message: 'request finished',
    method: request.method,
    path,
    status: response.statusCode,
    ...(typeof actor === 'string' && { actor }),
    ...fields,
    ...(!response.writableFinished && { aborted: true }),
  };
  // A 5xx is always worth a look.
  if (isProbe(path)) logger.debug(line);
  else if (response.statusCode >= 500) logger.error(line);
  else logger.log(line);
}
