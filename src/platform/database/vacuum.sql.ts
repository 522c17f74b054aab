/** What keeps PostgreSQL from removing dead rows of this database, of each kind what keeps the most. */
export interface Holder {
  readonly kind: 'session' | 'prepared' | 'standby' | 'slot';
  /** A session's process id, or the name of a prepared transaction, standby or replication slot. */
  readonly name: string;
  /** What is known of a session: program, user and state. */
  readonly about: string | null;
  /** Since a session's or prepared transaction's begin; the others tell no time. */
  readonly seconds: number | null;
  /** How many transactions have begun since the oldest one that it still sees. */
  readonly transactions: number;
}

/**
 * Sessions of other databases hold back nothing here, and neither does a VACUUM; standbys and slots of the whole server do.
 * Who is no member of pg_monitor sees the sessions of its own user alone.
 */
export const HOLDERS = `
  SELECT DISTINCT ON (kind) kind, name, about, seconds, age(xmin) AS transactions
  FROM (
    SELECT 'session' AS kind, pid::text AS name, concat_ws(', ', nullif(application_name, ''), usename, state) AS about,
      extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds, coalesce(backend_xmin, backend_xid) AS xmin
    FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
      AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum vacuum WHERE vacuum.pid = pg_stat_activity.pid)
    UNION ALL
    SELECT 'prepared', gid, owner, extract(epoch FROM clock_timestamp() - prepared)::float8, transaction
    FROM pg_prepared_xacts WHERE database = current_database()
    UNION ALL
    SELECT 'standby', coalesce(nullif(application_name, ''), pid::text), NULL, NULL, backend_xmin FROM pg_stat_replication
    UNION ALL
    SELECT 'slot', slot_name, plugin, NULL, xmin FROM pg_replication_slots
  ) holders
  WHERE xmin IS NOT NULL
  ORDER BY kind, age(xmin) DESC, seconds DESC NULLS LAST`;

/** Rows that nobody sees any more and that still take room, table by table, as PostgreSQL estimates them. */
export const DEAD_ROWS = `
  SELECT relname AS table, n_dead_tup::float8 AS dead, n_live_tup::float8 AS live,
    extract(epoch FROM clock_timestamp() - greatest(last_autovacuum, last_vacuum))::float8 AS "vacuumedSecondsAgo"
  FROM pg_stat_user_tables WHERE schemaname = current_schema() ORDER BY n_dead_tup DESC LIMIT 100`;

export interface DeadRows {
  readonly table: string;
  readonly dead: number;
  readonly live: number;
  /** Null: never yet. */
  readonly vacuumedSecondsAgo: number | null;
}
