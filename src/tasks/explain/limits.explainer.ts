import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { type LimitState, msUntilToken, tokensOf } from '../limits/allowance.js';
import { COUNT_RUNNING } from '../limits/gate.sql.js';
import { type Limited, LimitsView, type Pause } from '../limits/limits-view.js';
import type { Limits } from '../limits/limits.js';
import { KEY_RUNNING, LIMIT_STATE } from './explain.sql.js';
import type { ExplainedTask, Explainer, Reason } from './reason.js';
import { at, count } from './words.js';

interface StateRow extends LimitState {
  readonly failures: number;
  readonly openedAt: Date | null;
  readonly probeAt: Date | null;
  readonly lastError: string | null;
  readonly key: string | null;
}

interface RunningRow {
  readonly inQueue: number;
  readonly ofType: number;
}

/** Somebody has paused its queue or its type, or there are as many of them at work as may be. */
@Injectable()
export class LimitsExplainer implements Explainer {
  constructor(
    private readonly database: Database,
    private readonly view: LimitsView,
  ) {}

  async explain(task: ExplainedTask): Promise<readonly Reason[]> {
    if (task.status !== 'queued') return [];
    const { queues, types } = await this.view.reload();
    const queue = queues.get(task.queue);
    const type = types.get(task.type);
    const paused = [
      ...(queue?.pause ? [pausedQueue(task, queue.pause)] : []),
      ...(type?.pause ? [pausedType(task, type.pause)] : []),
    ];
    const mayStart = task.runAt <= task.now;
    return mayStart && (queue ?? type) ? [...paused, ...(await this.limitsOf(task, { queue, type }))] : paused;
  }

  private async limitsOf(
    task: ExplainedTask,
    { queue, type }: { queue: Limited | undefined; type: Limited | undefined },
  ): Promise<Reason[]> {
    const [state] = await this.database.query<StateRow>(LIMIT_STATE, [task.type, task.id]);
    const names = [queue && task.queue, type && task.type].map((name) => name ?? null);
    const [running] = await this.database.query<RunningRow>(COUNT_RUNNING(false), [...names, null, null]);
    const reasons: Reason[] = [];
    if (state && type?.limits.breaker && state.circuit !== 'closed') reasons.push(circuitOpen(task, state));
    if (running) reasons.push(...full(task, { queue: queue?.limits, type: type?.limits }, running));
    if (state && type) reasons.push(...rateLimited(task, type.limits, state));
    const perKey = type?.limits.concurrencyPerKey;
    if (state?.key && perKey !== undefined) {
      const [row] = await this.database.query<{ running: number }>(KEY_RUNNING, [task.type, state.key]);
      if (row && row.running >= perKey) reasons.push(keyBusy(task, state.key, { running: row.running, perKey }));
    }
    return reasons;
  }
}

const becauseOf = ({ reason }: Pause): string => (reason === null ? '' : `, because: ${reason}`);

const pauseFacts = ({ by, at: since, reason }: Pause) => ({ paused_by: by, paused_at: since.toISOString(), reason });

const pausedQueue = ({ queue }: ExplainedTask, pause: Pause): Reason => ({
  code: 'queue_paused',
  message: `The queue ${queue} was paused by ${pause.by} ${at(pause.at)}${becauseOf(pause)}.`,
  next: 'Nothing of it starts until somebody resumes it.',
  advice: `Resume it: photosafe queue resume ${queue}`,
  facts: { queue, ...pauseFacts(pause) },
});

const pausedType = ({ type }: ExplainedTask, pause: Pause): Reason => ({
  code: 'type_paused',
  message: `Tasks of type ${type} were paused by ${pause.by} ${at(pause.at)}${becauseOf(pause)}.`,
  next: 'None of them starts until somebody resumes them.',
  advice: `Resume them: photosafe queue resume-type ${type}`,
  facts: { type, ...pauseFacts(pause) },
});

const circuitOpen = (
  { type }: ExplainedTask,
  { failures, openedAt, probeAt, lastError, circuit }: StateRow,
): Reason => ({
  code: 'circuit_open',
  message:
    `Tasks of type ${type} have been left alone since ${String(openedAt?.toISOString())}, after ${count(failures, 'failure')} in a row; ` +
    `the last was: ${lastError ?? 'unknown'}.`,
  next:
    circuit === 'probing'
      ? 'One of them is being tried now; if it goes well, the others follow.'
      : `One of them is tried ${at(probeAt)}.`,
  advice: `If what they depend on is back, let them go on: photosafe queue close-circuit ${type}`,
  facts: {
    type,
    failures,
    circuit,
    opened_at: openedAt?.toISOString() ?? null,
    probe_at: probeAt?.toISOString() ?? null,
  },
});

function full(
  { queue, type }: ExplainedTask,
  limits: { readonly queue: Limits | undefined; readonly type: Limits | undefined },
  running: RunningRow,
): Reason[] {
  const reached = (what: string, number: number, limit: number | undefined): Reason[] =>
    limit === undefined || number < limit
      ? []
      : [
          {
            code: 'limit_reached',
            message: `${String(number)} of ${String(limit)} tasks that may run at once of ${what} do.`,
            next: 'It is taken when one of them has ended and its turn has come.',
            facts: { of: what, running: number, limit },
          },
        ];
  return [
    ...reached(`the queue ${queue}`, running.inQueue, limits.queue?.concurrency),
    ...reached(`type ${type}`, running.ofType, limits.type?.concurrency),
  ];
}

function rateLimited({ type, now }: ExplainedTask, { rate }: Limits, state: StateRow): Reason[] {
  const tokens = tokensOf(rate, state);
  if (rate === undefined || tokens === undefined || tokens >= 1) return [];
  const until = new Date(now.getTime() + msUntilToken(rate, tokens));
  return [
    {
      code: 'rate_limited',
      message: `Tasks of type ${type} start at ${String(rate.count)} in ${String(rate.perMs)} ms, and enough have.`,
      next: `The next one may start ${at(until)}.`,
      facts: { type, count: rate.count, per_ms: rate.perMs, until: until.toISOString() },
    },
  ];
}

const keyBusy = (
  { type }: ExplainedTask,
  key: string,
  { running, perKey }: { running: number; perKey: number },
): Reason => ({
  code: 'key_busy',
  message: `${count(running, 'task')} of type ${type} for ${key} ${running === 1 ? 'runs' : 'run'}, and no more than ${String(perKey)} may.`,
  next: 'It is taken when one of them has ended and its turn has come.',
  facts: { type, key, running, limit: perKey },
});
