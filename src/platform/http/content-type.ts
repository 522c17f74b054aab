import type { ErrorRequestHandler, NextFunction, Request, Response } from 'express';

/** In the shape of body-parser's errors, so that one mapping serves both. */
class UnsupportedMediaType extends Error {
  readonly status = 415;
}

/** Bodies that nothing here reads: curl's default form encoding, and text. */
const UNREADABLE = ['application/x-www-form-urlencoded', 'text/*'];

/**
 * Refuses bodies that nothing would read. Without this an endpoint all of whose fields are optional would take such a
 * body for an empty one and do something else than was asked.
 */
export function refuseUnreadableBody(request: Request, _response: Response, next: NextFunction): void {
  const { 'content-length': length, 'content-type': type, 'transfer-encoding': encoding } = request.headers;
  const hasBody = Number(length ?? 0) > 0 || encoding !== undefined;
  const unreadable = hasBody && (type === undefined || Boolean(request.is(UNREADABLE)));
  next(unreadable ? new UnsupportedMediaType('Send JSON with the header Content-Type: application/json.') : undefined);
}

/** In the shape of body-parser's errors too, but no SyntaxError: Nest would make a plain "bad request" of it. */
class MalformedJson extends Error {
  readonly status = 400;
  readonly type = 'entity.parse.failed';
}

/** Comes right after the JSON parser. */
// eslint-disable-next-line no-restricted-syntax -- Express knows a handler of errors by its four parameters
export const tellMalformedJson: ErrorRequestHandler = (error: unknown, _request, _response, next): void => {
  next(error instanceof SyntaxError ? new MalformedJson(error.message, { cause: error }) : error);
};
