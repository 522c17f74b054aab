import { Injectable, Logger } from '@nestjs/common';
import { progressOf } from '../task.js';
import type { EventMatcher } from './event-filter.js';
import { encodeMessage } from './sse-encoder.js';
import { present } from './trail-event.js';
import { type ProgressRow, TrailReader } from './trail-reader.js';

/** Handlers' progress is written once a second; looking more often would show nothing new. */
const LOOK_EVERY_MS = 1_000;

/** How far some running tasks have come since the last look. */
export class ProgressNews {
  private readonly chunks = new Map<string, string>();

  constructor(
    private readonly rows: readonly ProgressRow[],
    private readonly at: Date,
  ) {}

  /** As server-sent events; made once for all who asked for the same. Empty when there is nothing. */
  for(matcher: EventMatcher): string {
    let chunk = this.chunks.get(matcher.key);
    if (chunk === undefined) {
      const rows = this.rows.filter((row) => matcher.matchesTask(row.id, row));
      chunk = rows.map((row) => encodeMessage(PROGRESS_EVENT, this.document(row))).join('');
      this.chunks.set(matcher.key, chunk);
    }
    return chunk;
  }

  private document({ id, type, name, queue, parent_id, workflow_id, processed, total }: ProgressRow): object {
    const [done, all] = [Number(processed), total === null ? null : Number(total)];
    return {
      ...{ event: PROGRESS_EVENT, at: this.at, task_id: id, type, name, queue },
      ...present({ parent_id, workflow_id }),
      ...{ processed: done, ...present({ total: all }), progress: progressOf('running', done, all) },
    };
  }
}

const PROGRESS_EVENT = 'task.progress';

/** Looks at the progress of running tasks, once a second for everybody, and only while somebody wants to know. */
@Injectable()
export class ProgressWatch {
  private readonly logger = new Logger(ProgressWatch.name);
  private readonly listeners = new Set<(news: ProgressNews) => void>();
  private last = new Map<string, string>();
  private timer: NodeJS.Timeout | undefined;
  private looking = false;

  constructor(private readonly reader: TrailReader) {}

  join(listener: (news: ProgressNews) => void): void {
    this.listeners.add(listener);
    this.next();
  }

  leave(listener: (news: ProgressNews) => void): void {
    this.listeners.delete(listener);
    if (this.listeners.size > 0) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.last.clear();
  }

  /** A look that takes long is not joined by another: whoever has come meanwhile hears of what it sees. */
  private next(): void {
    if (!this.looking) this.timer ??= setTimeout(() => void this.look(), LOOK_EVERY_MS);
  }

  private async look(): Promise<void> {
    this.timer = undefined;
    this.looking = true;
    try {
      const rows = await this.reader.running();
      const news = new ProgressNews(this.changed(rows), new Date());
      for (const listener of this.listeners) listener(news);
    } catch (error) {
      this.logger.debug({ message: 'progress not seen; it is news, not truth', err: error });
    }
    this.looking = false;
    if (this.listeners.size > 0) this.next();
  }

  private changed(rows: readonly ProgressRow[]): ProgressRow[] {
    const seen = new Map(rows.map((row) => [row.id, `${row.processed}/${row.total ?? ''}`]));
    const news = rows.filter((row) => (this.last.get(row.id) ?? NOTHING_YET) !== seen.get(row.id));
    this.last = seen;
    return news;
  }
}

const NOTHING_YET = '0/';
