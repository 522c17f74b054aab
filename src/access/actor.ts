import { hostname, userInfo } from 'node:os';

/** Who asks for something. `label` is what the audit trail and task rows keep: `token:demo`, `cli:anna@nas`. */
export interface Actor {
  readonly kind: 'token' | 'cli' | 'schedule' | 'system';
  readonly id: string;
  readonly name: string;
  readonly label: string;
}

const actor = (kind: Actor['kind'], id: string, name: string): Actor => ({ kind, id, name, label: `${kind}:${name}` });

export const tokenActor = (token: { readonly id: string; readonly name: string }): Actor =>
  actor('token', token.id, token.name);

export const scheduleActor = (schedule: { readonly id: string; readonly name: string }): Actor =>
  actor('schedule', schedule.id, schedule.name);

/** PhotoSafe itself, in the part that is named: `system:first-start`. */
export const systemActor = (part: string): Actor => actor('system', part, part);

/** The person at the command line, as far as the operating system knows. */
export function cliActor(): Actor {
  const name = `${userName()}@${hostname()}`;
  return actor('cli', name, name);
}

/** Containers run under uids that have no entry in passwd. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
