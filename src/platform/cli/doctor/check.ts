export type CheckLevel = 'ok' | 'warn' | 'fail';

/** What `photosafe doctor` found out about one thing. */
export interface CheckResult {
  readonly name: string;
  readonly level: CheckLevel;
  /** What is so, and for anything but ok what to do about it. */
  readonly message: string;
}

export const ok = (name: string, message: string): CheckResult => ({ name, level: 'ok', message });
export const warn = (name: string, message: string): CheckResult => ({ name, level: 'warn', message });
export const fail = (name: string, message: string): CheckResult => ({ name, level: 'fail', message });

/** Whatever goes wrong inside a check is a finding. */
export async function examine(name: string, look: () => Promise<CheckResult>): Promise<CheckResult> {
  try {
    return await look();
  } catch (error) {
    return fail(name, error instanceof Error ? error.message : String(error));
  }
}
