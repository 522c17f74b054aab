import { HttpException, HttpStatus } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { contentDisposition } from './content-disposition.js';
import type { OpenThumbnail } from './images.service.js';
import type { OpenOriginal } from './originals.service.js';

/** Asked again each time, and answered without a body while nothing has changed. */
const REVALIDATE = 'private, no-cache';

export async function sendThumbnail(thumbnail: OpenThumbnail, request: Request, response: Response): Promise<void> {
  const { size, mimeType, sourceChecksum, quality, at } = thumbnail.rendition;
  response.setHeader('ETag', `"${sourceChecksum.slice(0, 24)}-${size}-${quality}-${at.getTime().toString(36)}"`);
  response.setHeader('Cache-Control', REVALIDATE);
  if (request.fresh) return void response.status(304).end();
  const stream = await thumbnail.open();
  response.setHeader('Content-Type', mimeType);
  await send(stream, response);
}

/** Closes the original's handle, however the sending ends. */
export async function sendFile(original: OpenOriginal, request: Request, response: Response): Promise<void> {
  const { handle, sizeBytes, modifiedAt, mimeType, checksum, fileName } = original;
  try {
    const etag = checksum === undefined ? `W/"${sizeBytes}-${modifiedAt.getTime()}"` : `"${checksum}"`;
    response.setHeader('ETag', etag);
    response.setHeader('Last-Modified', modifiedAt.toUTCString());
    response.setHeader('Cache-Control', REVALIDATE);
    response.setHeader('Accept-Ranges', 'bytes');
    if (request.fresh) return void response.status(304).end();
    const range = rangeOf(request, sizeBytes, etag);
    if (range === 'unsatisfiable') {
      response.removeHeader('ETag');
      response.setHeader('Content-Range', `bytes */${sizeBytes}`);
      throw new HttpException(`the file has ${sizeBytes} bytes`, HttpStatus.REQUESTED_RANGE_NOT_SATISFIABLE);
    }
    response.setHeader('Content-Type', mimeType ?? 'application/octet-stream');
    response.setHeader('Content-Disposition', contentDisposition(fileName, mimeType));
    const { start, end } = range ?? { start: 0, end: sizeBytes - 1 };
    response.setHeader('Content-Length', end - start + 1);
    if (range !== undefined) response.status(206).setHeader('Content-Range', `bytes ${start}-${end}/${sizeBytes}`);
    if (request.method === 'HEAD' || end < start) return void response.end();
    await send(handle.createReadStream({ start, end, autoClose: false }), response);
  } finally {
    await handle.close();
  }
}

/** A single range; several, and those for another version of the file (If-Range), get all of it (RFC 9110 §14). */
function rangeOf(
  request: Request,
  sizeBytes: number,
  etag: string,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const ifRange = request.header('if-range');
  if (ifRange !== undefined && ifRange !== etag) return undefined;
  const ranges = request.range(sizeBytes, { combine: true });
  if (ranges === -1) return 'unsatisfiable';
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return undefined;
  return ranges[0];
}

/** A client that goes away in the middle is no error. */
async function send(stream: Readable, response: Response): Promise<void> {
  try {
    await pipeline(stream, response);
  } catch (error) {
    if (!response.destroyed && !response.headersSent) throw error;
    response.destroy();
  }
}
