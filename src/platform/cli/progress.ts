import type { SingleBar } from 'cli-progress';
import { durationText, RateMeter } from './rate-meter.js';

/** Without a terminal: one line at most this often. */
const LINE_EVERY_MS = 5_000;

/** Shows how far a piece of work is. On standard error, so that standard output keeps to the result. */
export interface Progress {
  /** `processed` of `total`; the total may still grow, and is not known yet when left out. */
  update(processed: number, total?: number): void;
  /** The last state stays visible. */
  end(): void;
}

/** A bar with rate and remaining time on a terminal, plain lines elsewhere. `unit` is what is counted: `photos`. */
export async function showProgress(title: string, unit: string): Promise<Progress> {
  if (!process.stderr.isTTY) return new LineProgress(title, unit, (line) => process.stderr.write(`${line}\n`));
  const { SingleBar } = await import('cli-progress');
  return new BarProgress(
    new SingleBar({
      format: `${title} {bar} {percentage}% | {value}/{shownTotal} ${unit} | {speed}`,
      stream: process.stderr,
      hideCursor: true,
      barsize: 30,
      fps: 5,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      gracefulExit: false, // Ctrl-C is the command's business
    }),
  );
}

class BarProgress implements Progress {
  private readonly meter = new RateMeter();
  private total = 0;

  constructor(private readonly bar: SingleBar) {
    bar.start(0, 0, { speed: '', shownTotal: '?' });
  }

  update(processed: number, total = this.total): void {
    this.meter.note(processed, performance.now());
    this.total = total;
    this.bar.setTotal(total);
    this.bar.update(processed, { speed: speedText(this.meter, total), shownTotal: total || '?' });
  }

  end(): void {
    this.bar.stop();
  }
}

/** Lines for logs: the first state, then one every few seconds, and the last. */
export class LineProgress implements Progress {
  private readonly meter = new RateMeter();
  private nextAtMs = 0;
  private line = '';
  private written = '';

  constructor(
    private readonly title: string,
    private readonly unit: string,
    private readonly write: (line: string) => void,
  ) {}

  update(processed: number, total = 0): void {
    const nowMs = performance.now();
    this.meter.note(processed, nowMs);
    const share = total > 0 ? ` (${Math.floor((processed / total) * 100)}%)` : '';
    this.line = `${this.title}: ${processed}/${total || '?'} ${this.unit}${share}, ${speedText(this.meter, total)}`;
    if (nowMs < this.nextAtMs) return;
    this.nextAtMs = nowMs + LINE_EVERY_MS;
    this.flush();
  }

  end(): void {
    this.flush();
  }

  private flush(): void {
    if (this.line !== this.written) this.write(this.line);
    this.written = this.line;
  }
}

function speedText(meter: RateMeter, total: number): string {
  const rate = meter.perSecond();
  if (rate === undefined) return 'just begun';
  const remainingMs = total > 0 ? meter.remainingMs(total) : undefined;
  return `${rate.toFixed(rate < 10 ? 1 : 0)}/s${remainingMs === undefined ? '' : `, ${durationText(remainingMs)} left`}`;
}
