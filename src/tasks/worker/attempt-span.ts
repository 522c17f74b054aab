import { type LogFields, withLogFields } from '../../platform/logging/log-context.js';
import type { Spans } from '../../platform/tracing/tracing.js';
import type { Attempt } from './attempt.js';
import type { WrittenOutcome } from './outcome-writer.js';

const fieldsOf = ({ row }: Attempt): LogFields => ({
  jobId: row.id,
  taskName: row.type,
  taskVersion: row.version,
  attempt: row.attempt,
  fence: row.fence,
});

/** What is done to an attempt from outside is logged as of it, too. */
export function onBehalfOf(attempt: Attempt, work: () => void): void {
  withLogFields({ ...fieldsOf(attempt), ...attempt.span?.logFields }, work);
}

/** Has an attempt run with its fields in each log line; where traces are on, in a span that goes on from its enqueuing. */
export function withinAttempt(attempt: Attempt, spans: Spans | undefined, work: () => void): void {
  const { row } = attempt;
  const fields = fieldsOf(attempt);
  if (spans === undefined) {
    withLogFields(fields, work);
    return;
  }
  const attributes = { ...fields, crashCount: row.crash_count, waitedSeconds: row.waited_seconds ?? undefined };
  const span = spans.open({ name: `run ${row.type}`, kind: 'consumer', parent: row.trace_parent, attributes });
  attempt.span = span;
  span.run(() => {
    withLogFields({ ...fields, ...span.logFields }, work);
  });
}

export function endSpan({ span, definition }: Attempt, { end, failure }: WrittenOutcome): void {
  if (span === undefined) return;
  const { code: errorCode, category: errorCategory, message } = failure ?? {};
  const attributes = { outcome: end, queue: definition?.queue, errorCode, errorCategory };
  span.end(attributes, message ?? (end === 'lost' ? 'the lease was lost' : undefined));
}
