/** A registered worker as the database shows it now. */
export interface WatchedWorker {
  readonly id: string;
  /** When it last renewed its lease; only compared for equality. */
  readonly seenAt: string;
  readonly leaseMs: number;
  /** Whether its lease connection is open. */
  readonly connected: boolean;
}

export interface GoneWorker<W extends WatchedWorker> {
  readonly worker: W;
  readonly because: 'its lease ran out' | 'its connection is gone';
}

interface Observation {
  readonly seenAt: string;
  readonly sinceMs: number;
  readonly lostSinceMs: number | undefined;
}

/**
 * How long a worker may be without its lease connection before it counts as dead. Smaller: a healthy worker that is
 * reconnecting is struck off. Larger: the tasks of a dead process wait that long.
 */
const CONNECTION_GRACE_MS = 1_500;
/** After a longer break this process was paused itself, and perhaps the others with it: they get their time anew. */
const LONGEST_BREAK_MS = 8_000;

/**
 * Tells the dead from the living by watching them. A worker is gone when its renewals have stood still for a whole lease, or
 * its connection has been missing, on the watcher's own monotonic clock and while the database could be asked: neither
 * a step of anybody's clock nor an outage makes it look dead, and both are forgotten with {@link forget}.
 */
export class WorkerWatch<W extends WatchedWorker = WatchedWorker> {
  private observations = new Map<string, Observation>();
  private lookedMs = -Infinity;

  /**
   * Looks at all workers there are, as the database showed them between `askedMs` and `answeredMs` (monotonic): the least
   * time that may have passed is what counts. Gives those that are gone.
   */
  look(workers: readonly W[], { askedMs, answeredMs }: { askedMs: number; answeredMs: number }): GoneWorker<W>[] {
    if (askedMs - this.lookedMs > LONGEST_BREAK_MS) this.forget();
    this.lookedMs = answeredMs;
    const gone: GoneWorker<W>[] = [];
    const observations = new Map<string, Observation>();
    for (const worker of workers) {
      const observation = this.observe(worker, answeredMs);
      observations.set(worker.id, observation);
      const { sinceMs, lostSinceMs = answeredMs } = observation;
      if (askedMs - lostSinceMs >= CONNECTION_GRACE_MS) gone.push({ worker, because: 'its connection is gone' });
      else if (askedMs - sinceMs >= worker.leaseMs) gone.push({ worker, because: 'its lease ran out' });
    }
    this.observations = observations;
    return gone;
  }

  /** Whether a connection is missing: then the next look should come soon. */
  get inDoubt(): boolean {
    return [...this.observations.values()].some(({ lostSinceMs }) => lostSinceMs !== undefined);
  }

  /** The database was away, and nobody could renew. */
  forget(): void {
    this.observations.clear();
  }

  private observe({ id, seenAt, connected }: W, nowMs: number): Observation {
    const known = this.observations.get(id);
    if (known?.seenAt !== seenAt) return { seenAt, sinceMs: nowMs, lostSinceMs: connected ? undefined : nowMs };
    return { ...known, lostSinceMs: connected ? undefined : (known.lostSinceMs ?? nowMs) };
  }
}
