import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Counter, Gauge } from 'prom-client';
import { Settings } from '../../platform/config/settings.js';
import { AppError, unavailable } from '../../platform/errors/app-error.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import { type EventFilter, EventMatcher } from './event-filter.js';
import { type EndReason, EventStream } from './event-stream.js';
import { ProgressWatch } from './progress-watch.js';
import { Trail } from './trail.js';

/** Proxies cut connections that are silent for a minute. */
const BEAT_MS = 15_000;
/** How soon a token that is revoked or expires ends its streams; requests believe a token for as long. */
const CHECK_MS = 5_000;
/**
 * How long a client may take nothing at all before it is cut. Smaller cuts those whose network pauses; larger keeps dead
 * connections, of which each holds what was sent to it last.
 */
const STALL_MS = 20_000;
/** What clients get to take the last message at shutdown. */
const FAREWELL_MS = 300;

export interface StreamRequest {
  readonly filter: EventFilter;
  /** What the client had last, as it was given. */
  readonly lastEventId?: string;
  readonly progress: boolean;
  /** Rejects with an AppError `unauthorized` when the client may not read any more. */
  authorize(): Promise<unknown>;
}

/** All event streams of this process: how many there are, that they live, and when they end. */
@Injectable()
export class EventStreams implements OnModuleDestroy {
  stallMs = STALL_MS;
  checkMs = CHECK_MS;
  beatMs = BEAT_MS;
  private readonly logger = new Logger(EventStreams.name);
  private readonly streams = new Map<EventStream, StreamRequest>();
  private opening = 0;
  private timer: NodeJS.Timeout | undefined;
  private beatAt = 0;
  private checking: Promise<void> | undefined;
  private readonly cut: Counter;

  constructor(
    private readonly trail: Trail,
    private readonly progress: ProgressWatch,
    private readonly settings: Settings,
    { registry }: Metrics,
  ) {
    const count = (): number => this.streams.size;
    new Gauge({
      name: 'photosafe_event_streams',
      help: 'Clients that follow events',
      registers: [registry],
      collect() {
        this.set(count());
      },
    });
    this.cut = new Counter({
      name: 'photosafe_event_streams_cut_total',
      help: 'Event streams that were cut because the client took nothing any more',
      registers: [registry],
    });
  }

  /** Resolves when the stream has ended. Throws before anything is sent, or not at all. @throws unavailable `too_many_event_streams`. */
  async serve(request: StreamRequest, response: ServerResponse): Promise<void> {
    if (this.streams.size + this.opening >= this.settings.eventStreams) throw this.tooMany();
    this.opening += 1;
    const opened = await this.open(request).finally(() => (this.opening -= 1));
    const stream = new EventStream(response, opened.follower, new EventMatcher(request.filter));
    if (response.destroyed) {
      opened.follower.close(); // the client was gone before it began
      return;
    }
    this.streams.set(stream, request);
    this.timer ??= setTimeout(this.lookAfter, this.checkMs);
    if (request.progress) this.progress.join(stream.tellProgress);
    try {
      await stream.run(opened.problem);
    } finally {
      this.progress.leave(stream.tellProgress);
      this.streams.delete(stream);
    }
  }

  /** All streams end at once; their clients go on elsewhere, or here once this is back. */
  async onModuleDestroy(): Promise<void> {
    clearTimeout(this.timer);
    const streams = [...this.streams.keys()];
    for (const stream of streams) stream.end('shutting_down');
    const allClosed = Promise.all(streams.map((stream) => stream.closed));
    await Promise.race([allClosed, sleep(FAREWELL_MS, undefined, { ref: false })]);
    for (const stream of streams) stream.destroy();
  }

  private async open({ lastEventId }: StreamRequest) {
    const position = lastEventId === undefined ? undefined : await this.trail.resolve(lastEventId);
    if (typeof position === 'string') return { follower: await this.trail.follow(), problem: position };
    return { follower: await this.trail.follow(position), problem: undefined };
  }

  private readonly lookAfter = (): void => {
    const isBeat = performance.now() >= this.beatAt;
    if (isBeat) this.beatAt = performance.now() + this.beatMs;
    for (const stream of this.streams.keys()) {
      if (stream.blockedForMs > this.stallMs) {
        this.cut.inc();
        stream.destroy();
      } else if (isBeat) stream.beat();
    }
    this.checking ??= this.check().finally(() => (this.checking = undefined));
    this.timer = this.streams.size > 0 ? setTimeout(this.lookAfter, this.checkMs) : undefined;
  };

  /** One after the other: many streams share a token, which is then asked for once. */
  private async check(): Promise<void> {
    for (const [stream, request] of this.streams) {
      await request.authorize().catch((error: unknown) => {
        const reason = endReasonOf(error);
        if (reason) stream.end(reason);
      });
    }
  }

  private tooMany(): AppError {
    this.logger.warn({ message: 'event stream refused: too many', limit: this.settings.eventStreams });
    return unavailable(
      'too_many_event_streams',
      `${this.settings.eventStreams} event streams are open here, as many as may be.`,
    );
  }
}

/** Undefined when nothing is known: the database may just be away. */
function endReasonOf(error: unknown): EndReason | undefined {
  if (!(error instanceof AppError) || error.kind !== 'unauthorized') return undefined;
  return error.code === 'token_expired' || error.code === 'token_revoked' ? error.code : 'token_invalid';
}
