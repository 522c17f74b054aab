import type { Request } from 'express';

/** The path as it was asked for, without the query. (`url` and `path` change while a request is routed.) */
export const pathOf = (request: Request): string => request.originalUrl.split('?', 1)[0] ?? '/';
