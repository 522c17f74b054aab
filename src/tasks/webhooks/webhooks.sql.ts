/** Of each webhook so many attempts are kept. */
const KEPT_ATTEMPTS = 100;

const COLUMNS = `id, name, url, statuses::text[] AS statuses, types, top_level AS "topLevel", created_at AS "createdAt",
  created_by AS "createdBy", updated_at AS "updatedAt", updated_by AS "updatedBy", position, attempt,
  CASE WHEN delivery_id IS NOT NULL THEN json_build_object('id', delivery_id, 'until', delivery_until) END AS delivery,
  next_attempt_at AS "nextAttemptAt", failing_since AS "failingSince", disabled_at AS "disabledAt",
  disabled_reason AS "disabledReason"`;

const msBetween = (from: string, to: string): string => `extract(epoch FROM ${to} - ${from})::float8 * 1000`;

export const INSERT_WEBHOOK = `
  INSERT INTO webhooks (id, name, url, statuses, types, top_level, secret, created_by, updated_by, position)
  VALUES ($1, $2, $3, $4::task_status[], $5, $6, $7, $8, $8, $9) RETURNING ${COLUMNS}`;

/** Primary key; ids ascend with time. */
export const LIST_WEBHOOKS = `SELECT ${COLUMNS} FROM webhooks WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2`;

export const WEBHOOK_BY_ID = `SELECT ${COLUMNS}, secret FROM webhooks WHERE id = $1`;

/** The same for whoever is about to change it. */
export const LOCK_WEBHOOK = `${WEBHOOK_BY_ID} FOR UPDATE`;

/** Index webhooks_name. */
export const WEBHOOK_ID_BY_NAME = `SELECT id FROM webhooks WHERE lower(name) = lower($1)`;

/**
 * New terms: whoever delivers lets go, and the next to take it goes by them. What is being delivered is put together anew, as
 * it may be other events now. $8: null leaves it as it is, true has it deliver again, false stops it.
 */
export const UPDATE_WEBHOOK = `
  UPDATE webhooks
  SET name = $2, url = $3, statuses = $4::task_status[], types = $5, top_level = $6, updated_by = $7, updated_at = now(),
    delivery_id = NULL, delivery_until = NULL, attempt = 0, next_attempt_at = now(), held_by = NULL, held_until = NULL,
    disabled_at = CASE WHEN $8 THEN NULL WHEN NOT $8 THEN coalesce(disabled_at, now()) ELSE disabled_at END,
    disabled_reason = CASE WHEN $8 THEN NULL WHEN NOT $8 THEN coalesce(disabled_reason, 'by_hand') ELSE disabled_reason END,
    failing_since = CASE WHEN $8 THEN NULL ELSE failing_since END
  WHERE id = $1 RETURNING ${COLUMNS}`;

export const DELETE_WEBHOOK = `DELETE FROM webhooks WHERE id = $1 RETURNING id`;

/**
 * Takes webhooks that nobody delivers for: until it has not been said for $1 ms that somebody does. One that is held for
 * longer was so before the clock was set back, and nobody knows since when. Each taking has an id of its own, so that one
 * that has ended can write nothing any more, not even in the same process.
 */
export const HOLD_WEBHOOKS = `
  UPDATE webhooks SET held_by = gen_random_uuid(), held_until = now() + $1 * interval '1 millisecond'
  WHERE id IN (
    SELECT id FROM webhooks WHERE disabled_at IS NULL
      AND (held_until IS NULL OR held_until NOT BETWEEN now() AND now() + 2 * $1 * interval '1 millisecond')
    ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)
  RETURNING ${COLUMNS}, secret, held_by AS "heldBy",
    ${msBetween('now()', 'next_attempt_at')} AS "nextAttemptInMs", ${msBetween('failing_since', 'now()')} AS "failingForMs"`;

const TAKINGS = `unnest($1::uuid[], $2::uuid[]) AS t(id, held_by) WHERE w.id = t.id AND w.held_by = t.held_by`;

/** Says that these are still delivered for; gives those that are still held so. Primary key. */
export const RENEW_WEBHOOKS = `
  UPDATE webhooks w SET held_until = now() + $3 * interval '1 millisecond' FROM ${TAKINGS} AND w.held_until >= now()
  RETURNING w.held_by`;

/** Primary key. */
export const RELEASE_WEBHOOKS = `UPDATE webhooks w SET held_by = NULL, held_until = NULL FROM ${TAKINGS}`;

/**
 * How far many webhooks are, and the attempts made at their deliveries, as one write. Only of those that are still held
 * as they say, which it gives. An attempt takes the place of the oldest of its webhook. Primary keys.
 */
export const SAVE_WEBHOOKS = `
  WITH held AS (
    UPDATE webhooks w
    SET position = s.position, delivery_id = s.delivery_id, delivery_until = s.delivery_until, attempt = s.attempt,
      next_attempt_at = now() + s.next_attempt_in_ms * interval '1 millisecond',
      failing_since = CASE WHEN s.is_failing THEN coalesce(w.failing_since, now()) END,
      disabled_at = CASE WHEN s.disabled_reason IS NULL THEN w.disabled_at ELSE now() END,
      disabled_reason = coalesce(s.disabled_reason, w.disabled_reason)
    FROM jsonb_to_recordset($1::jsonb) AS s(id uuid, held_by uuid, position text, delivery_id uuid, delivery_until text, attempt int,
      next_attempt_in_ms float8, is_failing boolean, disabled_reason text)
    WHERE w.id = s.id AND w.held_by = s.held_by AND w.held_until >= now()
    RETURNING w.id, w.held_by
  ), tried AS (
    SELECT a.*, row_number() OVER (PARTITION BY a.webhook_id ORDER BY a.at) AS nth
    FROM jsonb_to_recordset($2::jsonb) AS a(webhook_id uuid, delivery_id uuid, after text, until text, events int, attempt int,
      status int, error text, duration_ms int, at timestamptz)
    JOIN held ON held.id = a.webhook_id
  ), noted AS (
    INSERT INTO webhook_deliveries (webhook_id, slot, delivery_id, after_position, until_position, events, attempt, status, error,
      duration_ms, at)
    SELECT webhook_id, (coalesce((SELECT d.slot FROM webhook_deliveries d WHERE d.webhook_id = t.webhook_id
        ORDER BY d.at DESC, d.slot DESC LIMIT 1), -1) + nth) % ${String(KEPT_ATTEMPTS)},
      delivery_id, after, until, events, attempt, status, error, duration_ms, at
    FROM tried t
    ON CONFLICT (webhook_id, slot) DO UPDATE
    SET delivery_id = excluded.delivery_id, after_position = excluded.after_position, until_position = excluded.until_position,
      events = excluded.events, attempt = excluded.attempt, status = excluded.status, error = excluded.error,
      duration_ms = excluded.duration_ms, at = excluded.at
  )
  SELECT held_by FROM held`;

const ATTEMPT_COLUMNS = `delivery_id AS "deliveryId", after_position AS after, until_position AS until, events, attempt, status,
  error, duration_ms AS "durationMs", at`;

/** Newest first (primary key). */
export const LIST_ATTEMPTS = `
  SELECT ${ATTEMPT_COLUMNS} FROM webhook_deliveries WHERE webhook_id = $1 ORDER BY at DESC, slot DESC`;

/** The last attempt at a delivery (primary key). */
export const LAST_ATTEMPT = `
  SELECT ${ATTEMPT_COLUMNS} FROM webhook_deliveries WHERE webhook_id = $1 AND delivery_id = $2 ORDER BY at DESC LIMIT 1`;
