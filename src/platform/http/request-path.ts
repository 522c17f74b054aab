import type { Request } from 'express';

/** The path as it was asked for, without the query. (`url` and `path` change while a request is routed.) */
export const pathOf = (request: Request): string => request.originalUrl.split('?', 1)[0] ?? '/';

/** Of those who look after the process: they come every few seconds and say nothing. */
export const isProbe = (path: string): boolean => /^\/api(\/v1)?\/(health|metrics)/.test(path);
