import { HttpException } from '@nestjs/common';
import { AppError, type ErrorKind, type FieldError } from '../errors/app-error.js';

/** RFC 9457 problem details, with our extension members. JSON over HTTP: snake_case. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Stable; docs/errors.md lists them. */
  readonly code: string;
  readonly errors?: readonly ProblemField[];
  readonly details?: AppError['details'];
  /** Only with status 500: the same id stands in the log beside the stack. */
  readonly error_id?: string;
  readonly instance?: string;
  readonly request_id?: string;
}

export interface ProblemField {
  readonly field: string;
  readonly message: string;
  readonly value?: unknown;
  readonly allowed?: string;
}

const STATUS_OF: Record<ErrorKind, number> = {
  invalid: 422,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  unavailable: 503,
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not acceptable',
  408: 'Request timeout',
  409: 'Conflict',
  413: 'Content too large',
  415: 'Unsupported media type',
  416: 'Range not satisfiable',
  422: 'Unprocessable content',
  500: 'Internal error',
  503: 'Unavailable',
};

/** What the HTTP layer itself refuses with, by status; services throw AppErrors and never need these. */
export const TRANSPORT_CODES: Readonly<Record<number, string>> = {
  400: 'malformed_request',
  404: 'route_not_found',
  405: 'method_not_allowed',
  406: 'not_acceptable',
  408: 'request_timeout',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  416: 'range_not_satisfiable',
};

export const problem = (status: number, code: string, detail: string): Problem => ({
  type: `urn:photosafe:problem:${code}`,
  title: TITLES[status] ?? 'Error',
  status,
  detail,
  code,
});

/** How an error looks to the caller; undefined for a bug, about which the caller learns an id and nothing else. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof AppError) return problemOfAppError(error);
  const status = clientStatusOf(error);
  if (status === undefined || !(error instanceof Error)) return undefined;
  if (isParseFailure(error)) {
    return problem(400, 'malformed_json', `The body is not valid JSON: ${error.message}`);
  }
  return problem(status, TRANSPORT_CODES[status] ?? `http_${status}`, error.message);
}

export const bugProblem = (errorId: string): Problem => ({
  ...problem(500, 'internal_error', `Something went wrong inside PhotoSafe. The log has the details under ${errorId}.`),
  error_id: errorId,
});

function problemOfAppError(error: AppError): Problem {
  const rendered = problem(STATUS_OF[error.kind], error.code, error.message);
  return {
    ...rendered,
    ...(error.fields.length > 0 && { errors: error.fields.map(toProblemField) }),
    ...(error.details && { details: error.details }),
  };
}

const toProblemField = ({ path, message, value, allowed }: FieldError): ProblemField => ({
  field: path,
  message,
  ...(value !== undefined && { value: shownValue(value) }),
  ...(allowed !== undefined && { allowed }),
});

const LONGEST_SHOWN_VALUE = 200;

/** A refused value is echoed so that the caller recognises it, not so that a megabyte comes back. */
function shownValue(value: unknown): unknown {
  if (typeof value === 'string') return shortened(value);
  const json = JSON.stringify(value) as string | undefined;
  return json === undefined || json.length > LONGEST_SHOWN_VALUE ? shortened(json ?? String(value)) : value;
}

const shortened = (text: string): string =>
  text.length > LONGEST_SHOWN_VALUE ? `${text.slice(0, LONGEST_SHOWN_VALUE)}…` : text;

/** The 4xx status of an error of Nest (`getStatus`), Express or body-parser (`status`); undefined for all else. */
function clientStatusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if (error instanceof URIError) return 400;
  const status = error instanceof HttpException ? error.getStatus() : statusField(error);
  return status !== undefined && status >= 400 && status < 500 ? status : undefined;
}

const statusField = (error: object): number | undefined =>
  'status' in error && typeof error.status === 'number' ? error.status : undefined;

const isParseFailure = (error: object): boolean => 'type' in error && error.type === 'entity.parse.failed';
