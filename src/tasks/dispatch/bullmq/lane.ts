import { type Job, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { within } from '../../../platform/redis/open-redis.js';
import { bullPriority, jobId, type ReadyTask } from './job.js';

/** How long a call for the next job waits in Redis. Shorter asks more often for nothing, longer delays the end of a process. */
const BLOCK_SECONDS = 1;
/** Shorter gives up on a busy Redis, longer leaves a worker asleep whose waiting connection is broken. */
const LATE_MS = 2_000;
/**
 * A job is in hand only until its claim is decided, a few milliseconds. Whose holder died with it in hand goes back to the
 * others after so long; shorter takes it from processes that are merely slow, which costs a claim in vain.
 */
const IN_HAND_MS = 5_000;
/** BullMQ narrates in a stream that nobody here reads. */
const MOST_EVENTS = 100;
/** Asked for at once when nobody knows how many there are; four times as many as long as all are there. */
const FIRST_ROUND = 4;
/** Fences the jobs in hand from others; which of our own calls took one does not matter. */
const TOKEN = 'photosafe';
const OFFER = { removeOnComplete: true, removeOnFail: true, attempts: 1, stackTraceLimit: 0 };

/**
 * A task queue as BullMQ has it. A job is the id of a task and nothing else; with the fence, so that the next round of the
 * same task is another job. Jobs are taken by hand instead of by BullMQ's own loop: so they are taken as many at once as there
 * are slots, claimed by one statement, and done with before the attempt begins. However long an attempt takes, Redis
 * holds nothing of it.
 */
export class Lane {
  private readonly queue: Queue;
  private worker: Worker | undefined;
  private readonly finishing = new Set<Promise<unknown>>();

  constructor(
    readonly name: string,
    private readonly client: Redis,
    private readonly prefix: string,
  ) {
    const streams = { events: { maxLen: MOST_EVENTS } };
    this.queue = new Queue(name, { connection: client, prefix, streams });
    this.queue.on('error', ignore);
  }

  /** Gives Redis those that it does not know, in this order; gives how many these were. */
  async offer(tasks: readonly ReadyTask[]): Promise<number> {
    const pipeline = this.client.pipeline();
    for (const task of tasks) pipeline.exists(this.queue.toKey(jobId(task)));
    const known = (await pipeline.exec()) ?? [];
    const unknown = tasks.filter((_, i) => {
      const [error, exists] = known[i] ?? [];
      if (error) throw error;
      return exists === 0;
    });
    const jobs = unknown.map((task) => ({
      name: 'task',
      data: {},
      opts: { ...OFFER, jobId: jobId(task), priority: bullPriority(task.priority) },
    }));
    if (jobs.length > 0) await this.queue.addBulk(jobs);
    return jobs.length;
  }

  /** How many jobs wait for somebody to take them. */
  async length(): Promise<number> {
    const { waiting = 0, prioritized = 0 } = await this.queue.getJobCounts('waiting', 'prioritized');
    return waiting + prioritized;
  }

  /** Up to `limit` jobs, without waiting for any. They are in hand until they are {@link finish}ed. */
  async take(limit: number): Promise<Job[]> {
    const worker = await this.ready();
    const taken: Job[] = [];
    for (let round = Math.min(limit, FIRST_ROUND); round > 0; round = Math.min(limit - taken.length, round * 4)) {
      const asked = Array.from({ length: round }, () => worker.getNextJob(TOKEN, { block: false }));
      const answers = await Promise.allSettled(asked);
      const jobs = answers.flatMap((answer) => (answer.status === 'fulfilled' ? (jobOf(answer.value) ?? []) : []));
      taken.push(...jobs);
      await this.rejectGarbage(answers);
      if (jobs.length < round) break;
    }
    return taken;
  }

  /**
   * Their claims are decided: Redis forgets them, while we go on. If that does not get through, somebody else is given them
   * and finds nothing to claim.
   */
  finish(jobs: readonly Job[]): void {
    for (const job of jobs) {
      job.opts.removeOnComplete = true; // whatever somebody else's job says
      const finishing: Promise<unknown> = job
        .moveToCompleted(null, TOKEN, false)
        .catch(ignore)
        .finally(() => this.finishing.delete(finishing));
      this.finishing.add(finishing);
    }
  }

  /** Resolves when there may be a job to take, and after a second anyway. @throws when it has not after a few. */
  async wait(): Promise<void> {
    const worker = await this.ready();
    // BullMQ mends its waiting connection when an answer is late, and may be at it for ever.
    await within(BLOCK_SECONDS * 1_000 + LATE_MS, worker.getBackend().waitForJob(BLOCK_SECONDS));
  }

  /** What it still has to say to Redis gets `graceMs`. */
  async close(graceMs: number): Promise<void> {
    const said = Promise.allSettled(this.finishing);
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([said, new Promise((resolve) => (timer = setTimeout(resolve, graceMs)))]);
    clearTimeout(timer);
    await Promise.allSettled([this.worker?.close(true), this.queue.close()]);
  }

  private async ready(): Promise<Worker> {
    if (!this.worker) {
      this.worker = new Worker(this.name, null, {
        connection: this.client,
        prefix: this.prefix,
        autorun: false,
        lockDuration: IN_HAND_MS,
        stalledInterval: IN_HAND_MS,
        removeOnComplete: { count: 0 },
      });
      this.worker.on('error', ignore);
      await this.worker.startStalledCheckTimer();
    }
    return this.worker;
  }

  /** A job that BullMQ cannot read is somebody else's, and would come back for ever. Throws on for any other trouble. */
  private async rejectGarbage(answers: readonly PromiseSettledResult<unknown>[]): Promise<void> {
    const errors = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Error] : []));
    const trouble = errors.find(({ name }) => name !== 'SyntaxError');
    if (trouble) throw trouble;
    if (errors.length === 0) return;
    // Jobs in others' hands go too, which costs nothing: theirs are being claimed, or are offered anew.
    for (const id of await this.client.lrange(this.queue.toKey('active'), 0, -1)) {
      const key = this.queue.toKey(id);
      await this.client.multi().lrem(this.queue.toKey('active'), 0, id).del(key, `${key}:lock`).exec();
    }
  }
}

/** BullMQ's type does not say that there may be none. */
const jobOf = (answer: unknown): Job | undefined => answer as Job | undefined;

const ignore = (): void => undefined;
