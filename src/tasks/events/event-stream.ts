import type { ServerResponse } from 'node:http';
import type { EventMatcher } from './event-filter.js';
import type { Follower } from './follower.js';
import type { ProgressNews } from './progress-watch.js';
import { encodeMark, encodeMessage, encodePage, encodeRetry } from './sse-encoder.js';
import type { PositionProblem } from './trail-reader.js';

/** Why a stream ends, as its last message says. */
export type EndReason = 'shutting_down' | 'unavailable' | 'token_expired' | 'token_revoked' | 'token_invalid';

/** Clients that lost their server come back after this long, each a little differently, so that they do not all come at once. */
const RETRY_MS = 1_000;
const RETRY_SPREAD_MS = 2_000;

export const STREAM_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // Not to be kept, nor gathered or compressed on the way: an event that waits in a proxy is late.
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
};

/** One client's stream: reads on as fast as the client takes it, and no faster. */
export class EventStream {
  /** What the client has been sent last is still on its way. */
  private blockedSince: number | undefined;
  private release: (() => void) | undefined;
  private ended = false;
  /** When nothing more is to be sent, nor on its way. */
  readonly closed: Promise<void>;

  constructor(
    private readonly response: ServerResponse,
    private readonly follower: Follower,
    private readonly matcher: EventMatcher,
  ) {
    response.on('drain', () => {
      this.unblock();
    });
    this.closed = new Promise((resolve) => {
      response.once('close', () => {
        this.close();
        resolve();
      });
    });
  }

  /** Until one of both has had enough. */
  async run(reset?: PositionProblem): Promise<void> {
    this.response.socket?.setNoDelay(true);
    this.response.socket?.setTimeout(0);
    this.response.writeHead(200, STREAM_HEADERS);
    const start =
      encodeRetry(RETRY_MS + Math.round(Math.random() * RETRY_SPREAD_MS)) + encodeMark(this.follower.position);
    await this.write(reset ? start + encodeMessage('reset', { event: 'reset', reason: reset }) : start);
    try {
      for (let page = await this.follower.next(); page; page = await this.follower.next()) {
        const chunk = encodePage(page, this.matcher);
        if (chunk) await this.write(chunk);
      }
    } catch {
      this.end('unavailable'); // whoever comes back with its position misses nothing, and learns by then what is wrong
    }
  }

  /** Something that is worth sending only to who is ready for it. */
  offer(text: string): void {
    if (text !== '' && this.blockedSince === undefined && !this.ended && !this.response.write(text)) this.block();
  }

  tellProgress = (news: ProgressNews): void => {
    this.offer(news.for(this.matcher));
  };

  /** Shows that the connection lives, and moves the position on where nothing was told for long. */
  beat(): void {
    this.offer(`: alive\n${encodeMark(this.follower.position)}`);
  }

  /** How long the client has not taken anything that was sent. */
  get blockedForMs(): number {
    return this.blockedSince === undefined ? 0 : performance.now() - this.blockedSince;
  }

  /** The last message, and the end. What a client does not take anyway is dropped. */
  end(reason: EndReason): void {
    if (this.ended) return;
    const isBlocked = this.blockedSince !== undefined;
    this.close();
    if (isBlocked) this.response.destroy();
    else this.response.end(encodeMessage('end', { event: 'end', reason }));
  }

  destroy(): void {
    this.response.destroy();
  }

  private close(): void {
    this.ended = true;
    this.follower.close();
    this.unblock();
  }

  private async write(chunk: string | Buffer): Promise<void> {
    if (this.ended) return;
    if (this.response.write(chunk) && this.blockedSince === undefined) return;
    this.block();
    await new Promise<void>((resolve) => (this.release = resolve));
  }

  private block(): void {
    this.blockedSince ??= performance.now();
  }

  private unblock(): void {
    this.blockedSince = undefined;
    this.release?.();
    this.release = undefined;
  }
}
