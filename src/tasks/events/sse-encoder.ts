import type { EventMatcher } from './event-filter.js';
import { encodePosition, encodeRow, encodeWindow, type Position } from './position.js';
import type { TrailEvent } from './trail-event.js';
import type { TrailPage } from './trail-reader.js';

/** What has been made of a page: each event once, and what goes to a client once for all who asked for the same. */
interface Encoded {
  readonly prefix: string;
  readonly frames: Map<TrailEvent, string>;
  readonly chunks: Map<string, Buffer | undefined>;
}

const encoded = new WeakMap<TrailPage, Encoded>();

/** The events of a page that a client asked for, as server-sent events; undefined when there are none. */
export function encodePage(page: TrailPage, matcher: EventMatcher): Buffer | undefined {
  const of = encodedOf(page);
  if (!of.chunks.has(matcher.key)) of.chunks.set(matcher.key, chunkOf(page, matcher, of));
  return of.chunks.get(matcher.key);
}

/** A message with a name and data, and no position: what follows may be asked for again. */
export const encodeMessage = (name: string, data: object | string): string =>
  `event: ${name}\ndata: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

/** Moves the client's position without telling it anything. */
export const encodeMark = (position: Position): string => `id: ${encodePosition(position)}\n\n`;

export const encodeRetry = (ms: number): string => `retry: ${String(ms)}\n\n`;

function encodedOf(page: TrailPage): Encoded {
  let of = encoded.get(page);
  if (!of) {
    const { takenAt, seen } = page.start;
    of = { prefix: encodeWindow(takenAt, seen, page.until), frames: new Map(), chunks: new Map() };
    encoded.set(page, of);
  }
  return of;
}

function chunkOf(page: TrailPage, matcher: EventMatcher, of: Encoded): Buffer | undefined {
  const frames = page.events.filter((event) => matcher.matches(event)).map((event) => frameOf(event, of));
  return frames.length === 0 ? undefined : Buffer.from(frames.join('') + encodeMark(page.end));
}

function frameOf(event: TrailEvent, { prefix, frames }: Encoded): string {
  let frame = frames.get(event);
  if (frame === undefined) {
    const id = prefix + encodeRow({ id: event.row.id, count: event.count });
    frame = `id: ${id}\n${encodeMessage(event.name, event.json)}`;
    frames.set(event, frame);
  }
  return frame;
}
