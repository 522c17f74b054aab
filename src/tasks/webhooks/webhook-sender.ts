import { setTimeout as sleep } from 'node:timers/promises';
import { v7 } from 'uuid';
import { EventMatcher } from '../events/event-filter.js';
import type { Follower } from '../events/follower.js';
import { decodePosition, encodePosition, type Position } from '../events/position.js';
import type { Trail } from '../events/trail.js';
import type { TrailEvent } from '../events/trail-event.js';
import type { TrailPage } from '../events/trail-reader.js';
import type { Backoff } from '../retry-policy.js';
import { retryDelayMs } from '../retry-policy.js';
import { attemptDelivery, bodyOf, type Delivery, deliveryOf, type DeliveryOutcome } from './delivery.js';
import type { Poster } from './post.js';
import { type DisabledReason, filterOf, type HeldWebhook, type WebhookState } from './webhook.js';
import type { SavedWebhook } from './webhooks.repository.js';

/** So many events are sent at once; more make bodies that receivers refuse, fewer make a request an event. */
const EVENTS_A_DELIVERY = 500;
/** A webhook that is told nothing notes this often that it has come further. */
const NOTE_EVERY_MS = 60_000;

export interface SenderParts {
  readonly trail: Trail;
  readonly poster: Poster;
  readonly backoff: Backoff;
  /** After failing for so long it is disabled. */
  readonly giveUpMs: number;
  save(saved: SavedWebhook): Promise<boolean>;
  ended(outcome: DeliveryOutcome): void;
}

/** Delivers for one webhook, one delivery at a time and in order, for as long as this process holds it. */
export class WebhookSender {
  private readonly finishing = new AbortController();
  private readonly stopped = new AbortController();
  private readonly matcher: EventMatcher;
  private state: WebhookState;
  /** By this process's steady clock, whatever time it believes to be; so is {@link failingSinceMs}. */
  private nextAttemptMs: number;
  private failingSinceMs: number | undefined;
  private follower: Follower | undefined;
  /** Of a page that did not fit: what is left, from this event on. */
  private left: Left | undefined;
  private notedMs = performance.now();
  readonly done: Promise<void>;

  constructor(
    readonly webhook: HeldWebhook,
    private readonly parts: SenderParts,
  ) {
    const { position, delivery, attempt, nextAttemptInMs, failingForMs } = webhook;
    this.state = { position, delivery, attempt };
    this.nextAttemptMs = performance.now() + nextAttemptInMs;
    this.failingSinceMs = failingForMs === null ? undefined : performance.now() - failingForMs;
    this.matcher = new EventMatcher(filterOf(webhook));
    this.done = this.run();
  }

  /** Nothing more is begun; resolves when what is on its way has been answered. */
  finish(): Promise<void> {
    this.finishing.abort();
    this.follower?.close();
    return this.done;
  }

  /** Nothing more is sent. What is on its way is cut off, and sent again by whoever comes next. */
  stop(): void {
    this.finishing.abort();
    this.stopped.abort();
    this.follower?.close();
  }

  private get isEnding(): boolean {
    return this.finishing.signal.aborted;
  }

  /** Rejects when the database does not answer; then another try is made by whoever takes the webhook next. */
  private async run(): Promise<void> {
    try {
      let position = await this.goOn();
      if (!position) return;
      this.follower = await this.parts.trail.follow(position);
      while (!this.isEnding) {
        const batch = await this.gather(position);
        if (!batch || !(await this.deliver(deliveryOf(v7(), batch, batch.events)))) return;
        position = batch.until;
      }
    } finally {
      this.stop();
    }
  }

  /** What was being delivered when its process ended is delivered first, as it was. Gives where to go on. */
  private async goOn(): Promise<Position | undefined> {
    const { trail } = this.parts;
    const { position: text, delivery } = this.webhook;
    const after = await trail.resolve(text);
    if (typeof after === 'string') {
      const now = await trail.now();
      const body = bodyOf('events', [JSON.stringify({ event: 'reset', reason: after })]);
      const reset = { id: delivery?.id ?? v7(), after: text, until: encodePosition(now), count: 1, body };
      return (await this.deliver(reset)) ? now : undefined;
    }
    const until = delivery ? decodePosition(delivery.until) : undefined;
    if (!delivery || !until) return after;
    const events: TrailEvent[] = [];
    for await (const some of trail.between(after, until)) {
      events.push(...some.filter((event) => this.matcher.matches(event)));
    }
    return (await this.deliver(deliveryOf(delivery.id, { after, until }, events))) ? until : undefined;
  }

  /** The next events that were asked for, up to as many as are sent at once; waits for the first. */
  private async gather(from: Position): Promise<Batch | undefined> {
    const events: TrailEvent[] = [];
    let after = from;
    for (;;) {
      const some = this.left ?? (await this.nextPage());
      if (!some) return undefined;
      const until = this.takeFrom(some, events);
      if (events.length > 0 && (this.left || !this.follower?.hasMore)) return { after, until, events };
      if (events.length === 0 && performance.now() > this.notedMs + NOTE_EVERY_MS) {
        after = until;
        this.note({ ...this.state, position: encodePosition(until) });
      }
    }
  }

  private async nextPage(): Promise<Left | undefined> {
    const page = await this.follower?.next();
    return page && { page, from: 0 };
  }

  /** Adds what was asked for, as far as there is room. Gives how far that is, and keeps what is left. */
  private takeFrom({ page, from }: Left, events: TrailEvent[]): Position {
    this.left = undefined;
    for (let i = from; i < page.events.length; i += 1) {
      const event = page.events[i];
      if (!event || !this.matcher.matches(event)) continue;
      if (events.length === EVENTS_A_DELIVERY) {
        this.left = { page, from: i };
        break;
      }
      events.push(event);
    }
    const last = events.at(-1);
    if (!this.left || !last) return page.end;
    const { takenAt, seen } = page.start;
    return { takenAt, seen, within: { until: page.until, id: last.row.id, count: last.count } };
  }

  /** Until it has been taken. False: no longer, or never. */
  private async deliver(delivery: Delivery): Promise<boolean> {
    const { webhook, parts, stopped } = this;
    const { id, until } = delivery;
    this.state = { ...this.state, delivery: { id, until } };
    if (!(await this.save())) return false;
    for (;;) {
      await this.pause(this.nextAttemptMs - performance.now());
      if (this.isEnding) return false;
      const attempt = this.state.attempt + 1;
      const outcome = await attemptDelivery(parts.poster, { webhook, delivery, attempt }, stopped.signal);
      if (stopped.signal.aborted && !outcome.isTaken) return false;
      parts.ended(outcome);
      if (outcome.isTaken) {
        this.nextAttemptMs = performance.now();
        this.failingSinceMs = undefined;
        this.note({ position: until, delivery: null, attempt: 0 }, outcome);
        return true;
      }
      const reason = this.fail(outcome);
      if (!(await this.save({ outcome, reason })) || reason) return false;
    }
  }

  /** When to try again; or why not. */
  private fail({ attempt, isGone, retryAfterMs }: DeliveryOutcome): DisabledReason | undefined {
    const nowMs = performance.now();
    const failure = { category: 'transient', code: '', message: '', retryAfterMs } as const;
    this.nextAttemptMs = nowMs + retryDelayMs(this.parts.backoff, attempt.attempt, failure);
    this.failingSinceMs ??= nowMs;
    this.state = { ...this.state, attempt: attempt.attempt };
    if (isGone) return 'gone';
    return nowMs - this.failingSinceMs > this.parts.giveUpMs ? 'failing' : undefined;
  }

  /** Written down with what others have to say, and not waited for: until it is, a crash means delivering again. */
  private note(state: WebhookState, outcome?: DeliveryOutcome): void {
    this.state = state;
    this.notedMs = performance.now();
    void this.save({ outcome }).then((isHeld) => {
      if (!isHeld) this.stop();
    });
  }

  private save({ outcome, reason }: { outcome?: DeliveryOutcome; reason?: DisabledReason } = {}): Promise<boolean> {
    return this.parts.save({
      taking: this.webhook,
      state: this.state,
      nextAttemptInMs: Math.max(0, this.nextAttemptMs - performance.now()),
      isFailing: this.failingSinceMs !== undefined,
      disabledReason: reason,
      attempts: outcome ? [outcome.attempt] : [],
    });
  }

  private async pause(ms: number): Promise<void> {
    if (ms <= 0 || this.isEnding) return;
    await sleep(ms, undefined, { signal: this.finishing.signal }).catch(() => undefined);
  }
}

interface Batch {
  readonly after: Position;
  readonly until: Position;
  readonly events: readonly TrailEvent[];
}

interface Left {
  readonly page: TrailPage;
  readonly from: number;
}
