interface Waiting {
  readonly admit: () => void;
  readonly refuse: (reason: Error) => void;
}

/** A number of places that are taken and left, with a queue in front: first come, first served. */
export class PlaceQueue {
  private readonly waiting: Waiting[] = [];
  private free: number;
  private closed: Error | undefined;

  constructor(places: number) {
    this.free = places;
  }

  /** Resolves when a place is taken. Rejects with the signal's reason, or with that of the closing. */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.closed) throw this.closed;
    if (this.free === 0) await this.turn(signal);
    else this.free -= 1;
  }

  /** Hands the place to whoever has waited longest. */
  leave(): void {
    const next = this.waiting.shift();
    if (next) next.admit();
    else this.free += 1;
  }

  /** Refuses who waits and who comes; the places that are taken stay so. */
  close(reason: Error): void {
    this.closed = reason;
    for (const { refuse } of this.waiting.splice(0)) refuse(reason);
  }

  private turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.waiting.splice(this.waiting.indexOf(waiting), 1);
        reject(signal.reason as Error);
      };
      const waiting: Waiting = {
        admit: () => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        },
        refuse: (reason) => {
          signal.removeEventListener('abort', giveUp);
          reject(reason);
        },
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.waiting.push(waiting);
    });
  }
}
