import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { Request, Response } from 'express';
import { randomUUID } from 'node:crypto';
import { refusedText } from '../database/unstorable-text.js';
import { AppError } from '../errors/app-error.js';
import { allowedMethods } from './allowed-methods.js';
import { databaseOutage } from '../database/database-outage.js';
import { bugProblem, type Problem, problem, problemOf } from './problem.js';
import { requestIdOf } from './request-logging.js';
import { pathOf } from './request-path.js';

/** How long a caller should wait when an `unavailable` error does not say. */
const DEFAULT_RETRY_AFTER_MS = 5_000;

/** The one place where an error becomes an HTTP answer: RFC 9457 problem details. Bugs are logged here, once. */
@Catch()
export class ProblemDetailsFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemDetailsFilter.name);

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const error = databaseOutage(thrown) ?? refusedText(thrown) ?? thrown;
    const rendered = problemOf(error) ?? this.logBug(error);
    if (response.headersSent) {
      response.destroy(); // half an answer is out: a cut connection is the only way left to say that it failed
      return;
    }
    const answer = rendered.code === 'route_not_found' ? routeProblem(request, response, rendered) : rendered;
    setHeaders(response, error, answer);
    response
      .status(answer.status)
      .send(JSON.stringify({ ...answer, instance: pathOf(request), request_id: requestIdOf(response) }));
  }

  private logBug(error: unknown): Problem {
    const errorId = randomUUID();
    this.logger.error({ message: 'request failed by a bug', errorId, err: error });
    return bugProblem(errorId);
  }
}

/** A path that exists, but not for this method, is told apart from one that does not exist. */
function routeProblem(request: Request, response: Response, notFound: Problem): Problem {
  const methods = allowedMethods(request);
  if (methods.length === 0) return { ...notFound, detail: `There is nothing at ${pathOf(request)}.` };
  response.setHeader('Allow', methods.join(', '));
  return problem(
    405,
    'method_not_allowed',
    `${request.method} does not work on ${pathOf(request)}; ${methods.join(', ')} would.`,
  );
}

function setHeaders(response: Response, error: unknown, answer: Problem): void {
  response.setHeader('Content-Type', 'application/problem+json; charset=utf-8');
  response.setHeader('Cache-Control', 'no-store');
  if (answer.status === 401) {
    const reason = answer.code === 'token_missing' ? '' : ', error="invalid_token"';
    response.setHeader('WWW-Authenticate', `Bearer realm="photosafe"${reason}`);
  }
  if (answer.status === 503) {
    const waitMs = (error instanceof AppError ? error.retryAfterMs : undefined) ?? DEFAULT_RETRY_AFTER_MS;
    response.setHeader('Retry-After', String(Math.max(1, Math.ceil(waitMs / 1_000))));
  }
}
