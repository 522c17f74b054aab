/** Whoever holds the limits calls this before any change: claims under way see it at once (see LIMITS_ARE_OF). */
export const NEXT_REVISION = `SELECT nextval('task_limit_revision')`;

export const REVISION = `SELECT last_value AS revision FROM task_limit_revision`;

/** All that has limits, is paused or was (a few dozen rows). */
export const ALL_LIMITS = `
  SELECT l.scope, l.name, l.declared, l.overridden, l.paused_at AS "pausedAt", l.paused_by AS "pausedBy",
    l.pause_reason AS "pauseReason", l.changed_at AS "changedAt", l.changed_by AS "changedBy", n.settled_at IS NOT NULL AS settled
  FROM task_limits l LEFT JOIN task_lanes n ON l.scope = 'type' AND n.type = l.name
  ORDER BY l.scope, l.name`;

/** Makes the row of a queue or type, and a type's lane, unless they are there (primary keys). */
export const KNOW = `
  WITH limited AS (
    INSERT INTO task_limits (scope, name, changed_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING scope, name
  ), lane AS (
    INSERT INTO task_lanes (type) SELECT name FROM limited WHERE scope = 'type' ON CONFLICT DO NOTHING
  )
  INSERT INTO task_limit_states (scope, name) SELECT scope, name FROM limited`;

/** Gives a row when it was not paused before. */
export const PAUSE = `
  UPDATE task_limits SET paused_at = now(), paused_by = $3, pause_reason = $4, changed_at = now(), changed_by = $3
  WHERE scope = $1 AND name = $2 AND paused_at IS NULL RETURNING name`;

/** Gives a row when it was paused. */
export const RESUME = `
  UPDATE task_limits SET paused_at = NULL, paused_by = NULL, pause_reason = NULL, changed_at = now(), changed_by = $3
  WHERE scope = $1 AND name = $2 AND paused_at IS NOT NULL RETURNING name`;

export const OVERRIDE = `
  UPDATE task_limits SET overridden = $4::jsonb, changed_at = now(), changed_by = $3
  WHERE scope = $1 AND name = $2 AND overridden <> $4::jsonb RETURNING name`;

export const DECLARE = `
  UPDATE task_limits SET declared = $4::jsonb, changed_at = now(), changed_by = $3
  WHERE scope = $1 AND name = $2 AND declared <> $4::jsonb RETURNING name`;

/** A bucket that had no rate before, or another one, begins full. */
export const REFILL = `UPDATE task_limit_states SET tokens = NULL, tokens_at = NULL WHERE scope = 'type' AND name = $1`;

/** Gives a row when it was not closed before. */
export const CLOSE_CIRCUIT = `
  UPDATE task_limit_states
  SET circuit = 'closed', failures = 0, opened_at = NULL, probe_at = NULL, cool_down_ms = NULL, probe_task = NULL, probe_fence = NULL
  WHERE scope = 'type' AND name = $1 AND circuit <> 'closed' RETURNING name`;

export const NOTE_LIMIT_EVENT = `
  INSERT INTO task_limit_events (scope, name, action, actor, reason, details) VALUES ($1, $2, $3, $4, $5, $6::jsonb)`;

/** Newest first (index task_limit_events_of, or the primary key). */
export const LIMIT_EVENTS = `
  SELECT id, at, scope, name, action, actor, reason, details FROM task_limit_events
  WHERE ($1::text IS NULL OR scope = $1) AND ($2::text IS NULL OR name = $2) AND ($3::bigint IS NULL OR id < $3)
  ORDER BY id DESC LIMIT $4`;

/** How types with limits stand (primary key). */
export const LIMIT_STATES = `
  SELECT name, circuit, failures, opened_at AS "openedAt", probe_at AS "probeAt", last_error AS "lastError", tokens,
    extract(epoch FROM clock_timestamp() - tokens_at)::float8 * 1000 AS "tokensAgeMs"
  FROM task_limit_states WHERE scope = 'type' AND ($1::text IS NULL OR name = $1)`;
