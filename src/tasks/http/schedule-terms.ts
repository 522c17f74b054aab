import { given } from '../../platform/values/given.js';
import type { ScheduleChanges, ScheduleTerms } from '../schedules/schedule.js';
import type { CreateScheduleDto, UpdateScheduleDto } from './dto/write-schedule.dto.js';

const CATCH_UP_MAX = 10;

/** A new schedule with what was left out. */
export const termsOf = (body: CreateScheduleDto): ScheduleTerms => ({
  name: body.name,
  description: body.description ?? null,
  taskType: body.type ?? body.task_type ?? '', // one of them is there: the DTO sees to it
  params: body.params ?? {},
  cron: body.cron,
  timeZone: body.time_zone ?? 'UTC',
  catchUp: { policy: body.catch_up ?? 'latest', max: body.catch_up_max ?? CATCH_UP_MAX },
  overlap: body.overlap ?? 'skip',
  priority: body.priority ?? null,
  startWithinMs: body.start_within_ms ?? null,
});

/** Only what was given; null is not, but for what it removes. */
export const changesOf = (body: UpdateScheduleDto): ScheduleChanges =>
  given({
    name: body.name ?? undefined,
    description: body.description,
    taskType: body.type ?? body.task_type ?? undefined,
    params: body.params ?? undefined,
    cron: body.cron ?? undefined,
    timeZone: body.time_zone ?? undefined,
    catchUp: given({ policy: body.catch_up ?? undefined, max: body.catch_up_max ?? undefined }),
    overlap: body.overlap ?? undefined,
    priority: body.priority,
    startWithinMs: body.start_within_ms,
  });
