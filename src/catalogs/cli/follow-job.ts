import { setTimeout as sleep } from 'node:timers/promises';
import { type Progress, showProgress } from '../../platform/cli/progress.js';
import type { Task, TaskService } from '../../tasks/index.js';
import { JOB_TYPES } from '../rebuild.service.js';

const LOOK_EVERY_MS = 400;
const FINISHED: readonly string[] = ['completed', 'failed', 'cancelled'];

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** Without progress bars. */
  readonly quiet?: boolean;
}

/** Shows the progress of a job, of each phase in turn for a rebuild, until it has finished or `signal` fires. */
export async function followJob(tasks: TaskService, jobId: string, { signal, quiet }: FollowOptions): Promise<Task> {
  const shown = new ShownPhase(tasks);
  let job = await tasks.get(jobId);
  try {
    while (!FINISHED.includes(job.status) && !signal.aborted) {
      const phase = quiet ? undefined : await currentPhase(tasks, job);
      if (phase !== undefined) await shown.update(phase);
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
      job = await tasks.get(jobId);
    }
    return job;
  } finally {
    await shown.end();
  }
}

/** The phase of a rebuild that is at work, if it has begun; any other job is its own. */
async function currentPhase(tasks: TaskService, job: Task): Promise<Task | undefined> {
  if (job.type !== 'rebuild') return job;
  const [newest] = await tasks.list({ parentId: job.id, types: JOB_TYPES }, { limit: 1 });
  return newest;
}

/** One bar at a time; a phase that gives way to the next one shows its end. */
class ShownPhase {
  private phaseId: string | undefined;
  private progress: Progress | undefined;

  constructor(private readonly tasks: TaskService) {}

  async update(phase: Task): Promise<void> {
    if (phase.id !== this.phaseId) {
      await this.end();
      this.phaseId = phase.id;
      this.progress = await showProgress(phase.name, 'photos');
    }
    this.progress?.update(phase.processed, phase.total ?? undefined);
  }

  async end(): Promise<void> {
    if (this.phaseId === undefined) return;
    const { processed, total } = await this.tasks.get(this.phaseId);
    this.progress?.update(processed, total ?? undefined);
    this.progress?.end();
    this.phaseId = undefined;
  }
}
