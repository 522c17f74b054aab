import { encodePosition, type Position } from '../events/position.js';
import type { TrailEvent } from '../events/trail-event.js';
import { classify, retryAfterMs } from '../retry-policy.js';
import type { Poster } from './post.js';
import { signatureHeaders } from './signature.js';
import type { DeliveryAttempt } from './webhook.js';

/** What is sent at once. The same id and the same events however often it is sent. */
export interface Delivery {
  readonly id: string;
  readonly after: string;
  readonly until: string;
  readonly count: number;
  readonly body: string;
}

/** What a receiver made of it. */
export interface DeliveryOutcome {
  readonly attempt: DeliveryAttempt;
  readonly isTaken: boolean;
  /** The receiver says that it wants no more, ever. */
  readonly isGone: boolean;
  readonly retryAfterMs?: number;
}

/** Beyond this a message says no more. */
const MOST_ERROR_CHARACTERS = 300;

/**
 * The events in the order of their rows, which is each task's own. In which order they became visible depends on when a
 * process looks, and another one that sends them again has looked at other moments.
 */
export function deliveryOf(
  id: string,
  { after, until }: { readonly after: Position; readonly until: Position },
  events: readonly TrailEvent[],
): Delivery {
  const ordered = [...events].sort((a, b) => Number(BigInt(a.row.id) - BigInt(b.row.id)) || a.count - b.count);
  const texts = ordered.map((event) => event.json);
  const body = bodyOf('events', texts, ordered.at(-1)?.row.at);
  return { id, after: encodePosition(after), until: encodePosition(until), count: events.length, body };
}

/** As Standard Webhooks has it: `type`, `timestamp`, `data`. */
export const bodyOf = (type: string, events: readonly string[], at = new Date()): string =>
  `{"type":"${type}","timestamp":"${at.toISOString()}","data":{"events":[${events.join(',')}]}}`;

/** Signs and sends. Every answer but 2xx is a failure, a redirect too: who receives is whom the operator named. */
export async function attemptDelivery(
  poster: Poster,
  { webhook, delivery, attempt }: { webhook: { url: string; secret: string }; delivery: Delivery; attempt: number },
  signal: AbortSignal,
): Promise<DeliveryOutcome> {
  const at = new Date();
  const startedMs = performance.now();
  const { id: deliveryId, after, until, count: events, body } = delivery;
  const made = (status: number | null, error: string | null): DeliveryAttempt => ({
    ...{ deliveryId, after, until, events, attempt, status, error, at },
    durationMs: Math.round(performance.now() - startedMs),
  });
  try {
    const headers = {
      ...signatureHeaders(webhook.secret, { id: deliveryId, at, body }),
      ...{ 'content-type': 'application/json', 'user-agent': 'PhotoSafe' },
    };
    const answer = await poster.post(new URL(webhook.url), { headers, body }, signal);
    const isTaken = answer.status >= 200 && answer.status < 300;
    const error = isTaken ? null : `the receiver answered ${String(answer.status)}`;
    const waitMs = isTaken ? undefined : retryAfterMs(answer.retryAfter);
    return { attempt: made(answer.status, error), isTaken, isGone: answer.status === 410, retryAfterMs: waitMs };
  } catch (error) {
    const { code, message } = classify(error);
    const text = `${code}: ${message}`.slice(0, MOST_ERROR_CHARACTERS);
    return { attempt: made(null, text), isTaken: false, isGone: false };
  }
}
