/** Someone who waits for tasks. */
export interface Waiter {
  /** Tries to get them; gives whether there were any. Must not throw. */
  take(): Promise<boolean>;
  /** The wait is over: something was found, or the waiter has left. */
  done(): void;
}

/**
 * Those who can be served with the same tasks, first come, first served: a notice costs one look, and one more for every
 * time that something is found, however many are waiting.
 */
export class ClaimLine {
  private readonly waiting: Waiter[] = [];
  private taking: Waiter | undefined;
  private readonly leaving = new Set<Waiter>();
  private serving = false;
  private again = false;

  constructor(readonly queues: readonly string[]) {}

  get length(): number {
    return this.waiting.length;
  }

  join(waiter: Waiter): void {
    this.waiting.push(waiter);
  }

  /** One for whom a look is under way gets what that finds, and leaves then. */
  leave(waiter: Waiter): void {
    if (this.taking === waiter) this.leaving.add(waiter);
    else this.remove(waiter);
  }

  /** Everybody leaves. */
  close(): void {
    for (const waiter of [...this.waiting]) this.leave(waiter);
  }

  /** There may be something. One pass at a time. */
  async serve(): Promise<void> {
    this.again = true;
    if (this.serving) return;
    this.serving = true;
    while (this.again) {
      this.again = false;
      await this.serveThoseInFront();
    }
    this.serving = false;
  }

  private async serveThoseInFront(): Promise<void> {
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      this.taking = first;
      const found = await first.take();
      this.taking = undefined;
      const leaves = this.leaving.delete(first);
      if (found || leaves) this.remove(first);
      else return;
    }
  }

  private remove(waiter: Waiter): void {
    const place = this.waiting.indexOf(waiter);
    if (place < 0) return;
    this.waiting.splice(place, 1);
    waiter.done();
  }
}
