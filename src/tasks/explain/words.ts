import type { Task } from '../task.js';

/** A time in a sentence: to the second, in UTC. */
export const moment = (time: Date | null): string =>
  time === null ? 'an unknown time' : `${time.toISOString().replace('T', ' ').slice(0, 19)} UTC`;

export const at = (time: Date | null): string => `at ${moment(time)}`;

/** `, because …`: the last error, cut to what fits into a sentence. */
export function because({ errorCode, errorMessage }: Task): string {
  if (errorCode === null) return '';
  const message = (errorMessage ?? '').replace(/\s+/g, ' ').trim();
  const cut = message.length > 200 ? `${message.slice(0, 200)}…` : message.replace(/\.$/, '');
  return `, because ${cut === '' ? errorCode : `${cut} (${errorCode})`}`;
}

/** `1 task`, `3 tasks`. */
export const count = (number: number, noun: string, plural = `${noun}s`): string =>
  `${String(number)} ${number === 1 ? noun : plural}`;
