import { IsBoolean, IsDefined, IsInt, Max, Min } from 'class-validator';
import { DispatchSettings } from './dispatch-settings.js';
import { concurrencyByQueue, type DaysByOutcome, daysByOutcome, trueOrFalse, wholeNumber } from './parse.js';
import { FromVariable } from './variable.js';

/** How tasks are worked on, kept and told of. */
export abstract class TaskSettings extends DispatchSettings {
  @FromVariable({
    name: 'PHOTOSAFE_WORKER_CONCURRENCY',
    default: 'default=8,images=2',
    allowed: 'queue=count pairs, comma-separated; a bare count is that of the queue "default"; 0 leaves a queue alone',
    meaning: 'How many tasks of each queue this process runs at once. Queues that are not named are left alone.',
    parse: concurrencyByQueue,
  })
  @IsDefined()
  readonly workerConcurrency: Readonly<Record<string, number>>;

  @FromVariable({
    name: 'PHOTOSAFE_PRIORITY_SECONDS',
    default: '300',
    allowed: 'a whole number of seconds from 1 to 3600',
    meaning:
      'What a point of priority is worth in waiting: a task of priority 2 goes before those of priority 0 that came up to ' +
      '10 minutes earlier, and after those that have waited longer.',
    parse: wholeNumber,
  })
  @IsInt()
  @Min(1)
  @Max(3_600)
  readonly prioritySeconds: number;

  @FromVariable({
    name: 'PHOTOSAFE_WORKER_LEASE_MS',
    default: '10000',
    allowed: 'a whole number of milliseconds from 1000 to 600000',
    meaning:
      'How long a worker that is not heard of keeps its tasks. Smaller takes work from workers that are merely slow, ' +
      'larger lets the work of a dead machine wait longer.',
    parse: wholeNumber,
  })
  @IsInt()
  @Min(1_000)
  @Max(600_000)
  readonly workerLeaseMs: number;

  @FromVariable({
    name: 'PHOTOSAFE_WORKER_POLL_MS',
    default: '2000',
    allowed: 'a whole number of milliseconds from 100 to 60000',
    meaning: 'How often an idle worker looks for work that no notification told it of.',
    parse: wholeNumber,
  })
  @IsInt()
  @Min(100)
  @Max(60_000)
  readonly workerPollMs: number;

  @FromVariable({
    name: 'PHOTOSAFE_WORKER_CELL',
    default: 'false',
    allowed: 'true, false',
    meaning:
      'Whether this worker only runs tasks that were running when a worker was lost, one at a time. Workers start such ' +
      'processes by themselves when there are any.',
    parse: trueOrFalse,
  })
  @IsBoolean()
  readonly workerCell: boolean;

  @FromVariable({
    name: 'PHOTOSAFE_SHUTDOWN_GRACE_MS',
    default: '5000',
    allowed: 'a whole number of milliseconds from 0 to 600000',
    meaning: 'How long running tasks may go on after a request to stop, before they are handed back.',
    parse: wholeNumber,
  })
  @IsInt()
  @Min(0)
  @Max(600_000)
  readonly shutdownGraceMs: number;

  @FromVariable({
    name: 'PHOTOSAFE_RETENTION_DAYS',
    default: 'completed=30,failed=90,cancelled=30',
    allowed:
      'outcome=days pairs, comma-separated: completed, failed, cancelled; 1 to 36500 days, or the word forever; ' +
      'an outcome that is left out keeps its default',
    meaning: 'How long finished tasks are kept with their audit trail. Single types may differ: see operating.md.',
    parse: (text) => daysByOutcome(text, { completed: 30, failed: 90, cancelled: 30 }),
  })
  @IsDefined()
  readonly retentionDays: DaysByOutcome;

  @FromVariable({
    name: 'PHOTOSAFE_IDEMPOTENCY_KEY_HOURS',
    default: '48',
    allowed: 'a whole number of hours from 1 to 8760',
    meaning: 'How long a repeated request with the same Idempotency-Key gives the task of the first.',
    parse: wholeNumber,
  })
  @IsInt()
  @Min(1)
  @Max(8_760)
  readonly idempotencyKeyHours: number;
}
