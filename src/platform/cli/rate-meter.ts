/** How far back the rate looks. Shorter jumps about; longer is slow to notice that the work has become slower. */
const WINDOW_MS = 20_000;

/** Items a second over the last twenty seconds, and how long the rest takes at that rate. */
export class RateMeter {
  private readonly samples: { readonly atMs: number; readonly processed: number }[] = [];

  /** `atMs` is any clock that only goes forward. */
  note(processed: number, atMs: number): void {
    this.samples.push({ atMs, processed });
    while (this.samples.length > 2 && atMs - (this.samples[1]?.atMs ?? atMs) > WINDOW_MS) this.samples.shift();
  }

  /** Undefined until it is known. */
  perSecond(): number | undefined {
    const first = this.samples[0];
    const last = this.samples.at(-1);
    if (first === undefined || last === undefined || last.atMs === first.atMs) return undefined;
    return ((last.processed - first.processed) / (last.atMs - first.atMs)) * 1_000;
  }

  remainingMs(total: number): number | undefined {
    const rate = this.perSecond();
    const processed = this.samples.at(-1)?.processed ?? 0;
    return rate === undefined || rate <= 0 ? undefined : (Math.max(0, total - processed) / rate) * 1_000;
  }
}

/** 75_000 → '1m15s'. */
export function durationText(durationMs: number): string {
  const seconds = Math.round(durationMs / 1_000);
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h > 0) return `${h}h${String(m).padStart(2, '0')}m`;
  return m > 0 ? `${m}m${String(s).padStart(2, '0')}s` : `${s}s`;
}
