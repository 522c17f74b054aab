import { UsageError } from '../../platform/cli/errors.js';
import type { TaskFilter } from '../listing/task-filter.js';
import { STATUS_WORDS, statusesMeantBy, type TaskStatus } from '../task-state.js';

/** Options that say which tasks are meant. */
export interface FilterOptions {
  status?: readonly TaskStatus[];
  type?: string;
  queue?: string;
  text?: string;
  since?: Date;
  until?: Date;
}

export const filterOf = ({ status, type, queue, text, since, until }: FilterOptions): TaskFilter => ({
  statuses: status,
  types: type?.split(',').map((one) => one.trim().toLowerCase()),
  queue,
  text,
  createdFrom: since,
  createdTo: until,
});

export const STATUS_OPTION = {
  flags: '--status <status>',
  description: `${STATUS_WORDS.join(', ')}; several with commas`,
};

export function parseStatuses(value: string): readonly TaskStatus[] {
  return value.split(',').flatMap((word) => {
    const meant = statusesMeantBy(word.trim());
    if (meant === undefined) throw new UsageError(`--status takes ${STATUS_WORDS.join(', ')}, not "${word}"`);
    return meant;
  });
}

/** @throws UsageError for what is no point in time. */
export function parseTime(option: string, value: string): Date {
  const time = new Date(value);
  const [day = ''] = /^\d{4}-\d{2}-\d{2}/.exec(value) ?? [];
  if (!Number.isNaN(time.getTime()) && isDay(day)) return time;
  throw new UsageError(`${option} takes a date or a date and time, such as 2026-01-31T08:00:00Z, not "${value}"`);
}

/** `new Date` makes the 2nd of March of the 30th of February. */
function isDay(text: string): boolean {
  const day = new Date(text);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
