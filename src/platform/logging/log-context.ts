import { AsyncLocalStorage } from 'node:async_hooks';

/** What every log line of the current request or attempt carries: requestId, jobId, taskName, taskVersion, … */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

const storage = new AsyncLocalStorage<LogFields>();

export const logFields = (): LogFields => storage.getStore() ?? {};

/** Runs `work` with `fields` added to every line logged within, however deep and however asynchronous. */
export function withLogFields<T>(fields: LogFields, work: () => T): T {
  return storage.run({ ...logFields(), ...fields }, work);
}
