/** A beat that is this late: the process was stopped, or a handler kept it from doing anything else. */
const LATE_MS = 1_000;

/** Knows whether this process has been awake, from a timer that should beat every `everyMs`. */
export class Wakefulness {
  private beatMs = this.now();
  private sleptMs = -Infinity;

  constructor(
    private readonly everyMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  beat(): void {
    const now = this.now();
    if (now - this.beatMs > this.everyMs + LATE_MS) this.sleptMs = now;
    this.beatMs = now;
  }

  /** Whether it has been awake for as long as this, up to now. */
  awakeFor(ms: number): boolean {
    this.beat();
    return this.now() - this.sleptMs >= ms;
  }
}
