import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { WakeablePause } from '../../platform/clock/wakeable-pause.js';
import { unavailable } from '../../platform/errors/app-error.js';
import { isOlder, type Position } from './position.js';
import { type TrailPage, TrailReader } from './trail-reader.js';

/** Told of what has happened, in order, none left out. Must not throw. */
export type TailListener = (page: TrailPage) => void;

/**
 * How long after one look the next follows. Smaller costs two statements more a second and process for each step, larger
 * lets events wait.
 */
const LOOK_EVERY_MS = 200;
const RENEW_AFTER_S = 60;
/** While the database does not answer. */
const LONGEST_PAUSE_MS = 2_000;

/**
 * Follows the audit trail for everybody in this process who wants to know what happens: one reader, and only while somebody
 * listens. It looks every fifth of a second instead of being notified: notices would cost the statements that settle tasks
 * more than two looks cost the database.
 */
@Injectable()
export class Tail implements OnModuleDestroy {
  lookEveryMs = LOOK_EVERY_MS;
  private readonly logger = new Logger(Tail.name);
  private readonly listeners = new Set<TailListener>();
  /** Those who come while a stretch of the trail is being told, of which they would hear only the rest, or who are ahead. */
  private readonly waiting: (() => void)[] = [];
  private cursor: Position | undefined;
  private starting: Promise<void> | undefined;
  private running: Promise<void> | undefined;
  private amid = true;
  private readonly pause = new WakeablePause();
  private failures = 0;
  private stopped = false;

  constructor(private readonly reader: TrailReader) {}

  /**
   * Tells `listener` everything after the position that this gives, which is not before `from`: another process may have
   * looked later than this one. Rejects when the database cannot say where that is.
   */
  async join(listener: TailListener, from?: Position): Promise<Position> {
    while (!this.stopped) {
      if (this.running === undefined) await this.start();
      if (!this.amid && this.cursor && !(from && isBehind(this.cursor, from))) {
        this.listeners.add(listener);
        return this.cursor;
      }
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    throw unavailable(
      'shutting_down',
      'This process is ending and tells no events any more. Connect to it again shortly.',
    );
  }

  leave(listener: TailListener): void {
    this.listeners.delete(listener);
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    this.pause.wake();
    this.letIn();
    await this.running;
  }

  private start(): Promise<void> {
    return (this.starting ??= this.reader
      .now()
      .then((now) => {
        this.cursor = now;
        this.amid = false;
        this.running = this.run();
      })
      .finally(() => {
        this.starting = undefined;
      }));
  }

  private async run(): Promise<void> {
    await this.sleep(); // whoever has just started this joins meanwhile
    while (!this.stopped && this.listeners.size > 0) {
      await this.look();
      await this.sleep();
    }
    this.running = undefined;
    this.amid = true;
    this.letIn();
  }

  /** What has been committed since the last look. After a failure the next look goes on where this one was. */
  private async look(): Promise<void> {
    try {
      const latest = await this.reader.now();
      if (this.isWorthTelling(latest)) await this.tellAll(latest);
      this.failures = 0;
    } catch (error) {
      if (this.failures === 0)
        this.logger.warn({ message: 'the audit trail cannot be followed, trying again', err: error });
      this.failures += 1;
    }
  }

  /** Where nothing happens, everybody's position is renewed before it is too old to go on from. */
  private isWorthTelling(latest: Position): boolean {
    return latest.seen !== this.cursor?.seen || latest.takenAt > this.cursor.takenAt + RENEW_AFTER_S;
  }

  private async tellAll(latest: Position): Promise<void> {
    this.amid = true;
    for (let isLast = false; !isLast && !this.stopped;) isLast = await this.tell(latest);
    this.amid = false;
    this.letIn();
  }

  private async tell(latest: Position): Promise<boolean> {
    const page = await this.reader.page(this.cursor ?? latest, latest);
    this.cursor = page.end;
    for (const listener of this.listeners) listener(page);
    return page.isLast && page.until === latest.seen;
  }

  private letIn(): void {
    for (const enter of this.waiting.splice(0)) enter();
  }

  private async sleep(): Promise<void> {
    const ms = Math.min(
      this.lookEveryMs * 2 ** Math.min(this.failures, 10),
      Math.max(LONGEST_PAUSE_MS, this.lookEveryMs),
    );
    if (!this.stopped) await this.pause.for(ms);
  }
}

const isBehind = ({ seen }: Position, from: Position): boolean => isOlder(seen, from.within?.until ?? from.seen);
