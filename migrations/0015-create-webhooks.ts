import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Webhooks: where events are sent, how far each has come, and which process sends them. New tables, nothing is locked.
 *
 * A row of `webhooks` is rewritten with every delivery, so that no column that changes then is indexed and pages have room.
 */
export class CreateWebhooks implements MigrationInterface {
  name = 'CreateWebhooks0000000000015';

  async up(runner: QueryRunner): Promise<void> {
    // position: what is before it has been delivered, or was not asked for. delivery_…: what is being delivered, the same
    // again after a failure or a crash. held_…: the process that delivers, for as long as it says that it is there.
    await runner.query(`
      CREATE TABLE webhooks (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        url text NOT NULL,
        secret text NOT NULL,
        statuses task_status[],
        types text[],
        top_level boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now(),
        created_by text NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now(),
        updated_by text NOT NULL,
        position text NOT NULL,
        delivery_id uuid,
        delivery_until text,
        attempt int NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL DEFAULT now(),
        failing_since timestamptz,
        disabled_at timestamptz,
        disabled_reason text,
        held_by uuid,
        held_until timestamptz,
        CONSTRAINT webhooks_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
        CONSTRAINT webhooks_delivery CHECK ((delivery_id IS NULL) = (delivery_until IS NULL)),
        CONSTRAINT webhooks_attempt CHECK (attempt >= 0),
        CONSTRAINT webhooks_disabled CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL)),
        CONSTRAINT webhooks_disabled_reason CHECK (disabled_reason IN ('by_hand', 'gone', 'failing')),
        CONSTRAINT webhooks_held CHECK ((held_by IS NULL) = (held_until IS NULL))
      ) WITH (fillfactor = 50)`);
    await runner.query(`CREATE UNIQUE INDEX webhooks_name ON webhooks (lower(name))`);

    // The last attempts of each webhook: a slot is used again, so that the log needs no cleaning.
    await runner.query(`
      CREATE TABLE webhook_deliveries (
        webhook_id uuid NOT NULL REFERENCES webhooks ON DELETE CASCADE,
        slot smallint NOT NULL,
        delivery_id uuid NOT NULL,
        after_position text NOT NULL,
        until_position text NOT NULL,
        events int NOT NULL,
        attempt int NOT NULL,
        status int,
        error text,
        duration_ms int NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (webhook_id, slot),
        CONSTRAINT webhook_deliveries_slot CHECK (slot BETWEEN 0 AND 99)
      ) WITH (fillfactor = 50)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE webhook_deliveries, webhooks`);
  }
}
