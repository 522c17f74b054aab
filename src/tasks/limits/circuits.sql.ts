/**
 * How long until an open circuit may be tried, an interval that is negative when it may. Its whole cool-down at most: more
 * means that the clock was set back since, and nobody knows how long it has been open; then it is tried at once.
 */
export const UNTIL_PROBE = (now: string): string =>
  `CASE WHEN probe_at - ${now} > cool_down_ms * interval '1 millisecond' THEN interval '0' ELSE probe_at - ${now} END`;

/**
 * Counts a transient failure of a type ($1). $2: the task; $3: how many in a row open the circuit; $4 and $5: the first and the longest
 * cool-down; $6: what the other side asked for; $7: what went wrong. Says how the circuit was before and is now (primary key).
 */
export const COUNT_FAILURE = `
  WITH before AS (
    SELECT circuit, failures, probe_task, cool_down_ms FROM task_limit_states WHERE scope = 'type' AND name = $1 FOR UPDATE
  ), judged AS (
    SELECT *, CASE
        WHEN circuit = 'closed' AND failures + 1 >= $3 THEN greatest($4, $6::bigint)
        WHEN circuit = 'probing' AND probe_task = $2 THEN greatest(least(coalesce(cool_down_ms, $4) * 2, greatest($4, $5)), $6)
      END AS next_ms
    FROM before
  ), counted AS (
    UPDATE task_limit_states s
    SET failures = s.failures + 1, last_error = $7,
      circuit = CASE WHEN j.next_ms IS NULL THEN j.circuit ELSE 'open' END,
      opened_at = CASE WHEN j.next_ms IS NULL THEN s.opened_at ELSE coalesce(s.opened_at, now()) END,
      cool_down_ms = coalesce(j.next_ms, s.cool_down_ms),
      probe_at = CASE WHEN j.next_ms IS NULL THEN s.probe_at ELSE now() + j.next_ms * interval '1 millisecond' END,
      probe_task = CASE WHEN j.next_ms IS NULL THEN s.probe_task END,
      probe_fence = CASE WHEN j.next_ms IS NULL THEN s.probe_fence END
    FROM judged j WHERE s.scope = 'type' AND s.name = $1
    RETURNING s.circuit, s.probe_at, s.failures
  ), noted AS (
    INSERT INTO task_limit_events (scope, name, action, actor, reason, details)
    SELECT 'type', $1, 'circuit_opened', 'engine', $7, jsonb_build_object('failures', c.failures, 'probe_at', c.probe_at)
    FROM counted c, before b WHERE b.circuit = 'closed' AND c.circuit = 'open'
  )
  SELECT b.circuit AS before, c.circuit AS after FROM before b, counted c`;

/**
 * A task ($2) of a type ($1) went well: failures are in a row no more, and if it was the one by which an open circuit was tried,
 * that is closed. Nothing is written when all was well before (primary key).
 */
export const COUNT_SUCCESS = `
  WITH before AS (
    SELECT circuit FROM task_limit_states
    WHERE scope = 'type' AND name = $1 AND ((circuit = 'closed' AND failures > 0) OR (circuit = 'probing' AND probe_task = $2))
    FOR UPDATE
  ), reset AS (
    UPDATE task_limit_states s
    SET circuit = 'closed', failures = 0, opened_at = NULL, probe_at = NULL, cool_down_ms = NULL, probe_task = NULL, probe_fence = NULL
    FROM before b WHERE s.scope = 'type' AND s.name = $1
    RETURNING b.circuit
  ), noted AS (
    INSERT INTO task_limit_events (scope, name, action, actor, details)
    SELECT 'type', $1, 'circuit_closed', 'engine', jsonb_build_object('probe', $2::uuid) FROM reset WHERE circuit = 'probing'
  )
  SELECT circuit AS before FROM reset`;
