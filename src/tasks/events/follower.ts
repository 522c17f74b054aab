import type { Position } from './position.js';
import type { Tail } from './tail.js';
import type { TrailPage, TrailReader } from './trail-reader.js';

/**
 * How many events one follower may have waiting. They are shared with all others and with the tail, so that this bounds how
 * much a slow one keeps from being forgotten. Smaller sends followers back to the database after a short burst.
 */
const MOST_WAITING = 10_000;

/**
 * Reads on from a position at its owner's own pace: first what has been from the database, then what happens from the tail.
 * Who does not keep up loses what waits for him and reads it from the database again, so that he costs nobody else
 * anything, and misses nothing.
 */
export class Follower {
  mostWaiting = MOST_WAITING;
  private readonly pages: TrailPage[] = [];
  private events = 0;
  private caughtUp = false;
  /** Where the tail was when this joined it; what is before must be read. Undefined: not joined, or thrown out. */
  private joinedAt: Position | undefined;
  private wake: (() => void) | undefined;
  private closed = false;

  private constructor(
    private readonly reader: TrailReader,
    private readonly tail: Tail,
    private current: Position | undefined,
  ) {}

  /** From `position` on, or from now on. Nothing that is committed after this has resolved is missed. */
  static async open(parts: { reader: TrailReader; tail: Tail }, position?: Position): Promise<Follower> {
    const follower = new Follower(parts.reader, parts.tail, position);
    await follower.join();
    return follower;
  }

  /** All before has been given by {@link next}. */
  get position(): Position {
    if (!this.current) throw new Error('a follower has a position once it is open');
    return this.current;
  }

  /** {@link next} need not wait. */
  get hasMore(): boolean {
    return this.caughtUp && this.pages.length > 0;
  }

  /** What comes next; waits for it. Undefined once closed. A page may hold no events. */
  async next(): Promise<TrailPage | undefined> {
    while (!this.closed) {
      this.joinedAt ??= await this.join();
      const page = this.hasCaughtUp(this.joinedAt) ? this.take() : await this.reader.page(this.position, this.joinedAt);
      if (page) {
        this.current = page.end;
        return page;
      }
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    return undefined;
  }

  close(): void {
    this.closed = true;
    this.leave();
    this.wake?.();
  }

  private async join(): Promise<Position> {
    this.joinedAt = undefined;
    const joinedAt = await this.tail.join(this.listener, this.current);
    if (this.closed) this.tail.leave(this.listener);
    this.current ??= joinedAt;
    this.caughtUp = false;
    return (this.joinedAt = joinedAt);
  }

  private readonly listener = (page: TrailPage): void => {
    this.pages.push(page);
    this.events += page.events.length;
    if (this.events > this.mostWaiting && this.pages.length > 1) this.leave();
    this.wake?.();
  };

  private leave(): void {
    this.tail.leave(this.listener);
    this.pages.length = 0;
    this.events = 0;
    this.joinedAt = undefined;
  }

  /** Nothing is left to read between here and where this joined the tail. */
  private hasCaughtUp({ seen }: Position): boolean {
    return (this.caughtUp ||= this.position.seen === seen && this.position.within === undefined);
  }

  private take(): TrailPage | undefined {
    const page = this.pages.shift();
    this.events -= page?.events.length ?? 0;
    return page;
  }
}
