/**
 * How many processes must have been seen to die of a task that ran alone. One may be a coincidence: somebody else's memory
 * leak, a finger on `kill`. Two in a row of the one process on the machine that does nothing else are not. More would only
 * kill more processes.
 */
export const DEATHS_ALONE = 2;
/**
 * How many workers may be lost while it runs alone without anybody having seen why: a machine that went down, a network
 * that broke, a process that was stopped, or one that hangs in the task. Fewer would quarantine what an unlucky week of
 * outages hits, more lets a task that hangs its process hang so many, a lease each.
 */
export const LOSSES_ALONE = 5;
/** The code of tasks that are quarantined. */
export const POISON_PILL = 'poison_pill';

/** A running task whose worker is no more. */
export interface Orphan {
  readonly id: string;
  readonly workflowId: string | null;
  /** Workers lost with it before, since it last ended an attempt: beyond the first one it ran alone. */
  readonly crashCount: number;
  /** How many of them were seen to die. */
  readonly deathsAlone: number;
  readonly cancelRequested: boolean;
  /** Whether this worker was lost as well; if not, it ended as it should and only left this behind. */
  readonly lost: boolean;
  /** Whether the process that started it saw it die. */
  readonly witnessed: boolean;
  readonly how: string | null;
}

/** Why an orphan must not run again; undefined when it may. */
export function guiltOf(orphan: Orphan): string | undefined {
  if (!orphan.lost || orphan.cancelRequested) return undefined;
  const lossesAlone = orphan.crashCount; // the first was in company
  const deaths = orphan.deathsAlone + (orphan.witnessed ? 1 : 0);
  if (deaths < DEATHS_ALONE && lossesAlone < LOSSES_ALONE) return undefined;
  const what =
    deaths >= DEATHS_ALONE
      ? `${String(deaths)} processes died while they ran this task and nothing else`
      : `${String(lossesAlone)} workers were lost while they ran this task and nothing else`;
  return `${what}; the last: ${orphan.how ?? 'unknown'}. It is quarantined; find the cause, then release it by running it again (retry)`;
}
