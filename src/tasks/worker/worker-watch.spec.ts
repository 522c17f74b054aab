import { type WatchedWorker, WorkerWatch } from './worker-watch.js';

const LEASE_MS = 10_000;

/** Looks once a second; gives who is gone at which second. */
function watching(
  seconds: number,
  workerAt: (second: number) => Partial<WatchedWorker> | undefined,
  watch = new WorkerWatch(),
) {
  const gone: [number, string][] = [];
  for (let second = 0; second <= seconds; second += 1) {
    const worker = workerAt(second);
    const workers = worker ? [{ id: 'w', seenAt: 'then', leaseMs: LEASE_MS, connected: true, ...worker }] : [];
    const nowMs = second * 1_000;
    for (const { because } of watch.look(workers, { askedMs: nowMs, answeredMs: nowMs })) gone.push([second, because]);
  }
  return gone;
}

describe('watching workers', () => {
  it('leaves one alone that renews its lease, however old that says it is', () => {
    expect(watching(60, (second) => ({ seenAt: String(Math.floor(second / 3)) }))).toEqual([]);
  });

  it('finds one gone whose renewals have stood still for a whole lease', () => {
    expect(watching(10, () => ({}))).toEqual([[10, 'its lease ran out']]);
  });

  it('finds one gone soon whose connection is missing', () => {
    const gone = watching(6, (second) => ({ seenAt: String(Math.min(second, 3)), connected: second < 4 }));
    expect(gone).toEqual([[6, 'its connection is gone']]);
  });

  it('leaves one alone that comes back in time, or goes on renewing', () => {
    expect(watching(9, (second) => ({ seenAt: String(second >> 2), connected: second % 2 === 0 }))).toEqual([]);
    expect(watching(60, (second) => ({ seenAt: String(second), connected: false }))).toEqual([]);
  });

  it('begins anew after an outage, in which nobody could renew', () => {
    const watch = new WorkerWatch();
    expect(watching(9, () => ({}), watch)).toEqual([]);
    watch.forget();
    expect(
      watch.look([{ id: 'w', seenAt: 'then', leaseMs: LEASE_MS, connected: false }], {
        askedMs: 12_000,
        answeredMs: 12_000,
      }),
    ).toEqual([]);
    expect(watch.inDoubt).toBe(true);
  });

  it('begins anew after it was paused itself', () => {
    const watch = new WorkerWatch();
    const one = { id: 'w', seenAt: 'then', leaseMs: LEASE_MS, connected: true };
    expect(watch.look([one], { askedMs: 0, answeredMs: 0 })).toEqual([]);
    expect(watch.look([one], { askedMs: 60_000, answeredMs: 60_000 })).toEqual([]);
  });

  it('counts the least time that may have passed when answers are slow', () => {
    const watch = new WorkerWatch();
    const one = { id: 'w', seenAt: 'then', leaseMs: 4_000, connected: true };
    expect(watch.look([one], { askedMs: 0, answeredMs: 3_000 })).toEqual([]);
    expect(watch.look([one], { askedMs: 6_000, answeredMs: 6_500 })).toEqual([]);
    expect(watch.look([one], { askedMs: 7_000, answeredMs: 7_500 })).toHaveLength(1);
  });

  it('forgets who has resigned', () => {
    const watch = new WorkerWatch();
    expect(watching(3, (second) => (second < 2 ? { connected: false } : undefined), watch)).toEqual([]);
    expect(watch.inDoubt).toBe(false);
  });
});
