import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Tokens and what was done with them. A token's secret is not here, only its SHA-256. Names are unique among the tokens
 * that are not revoked, so that a name says which token acted; revoked tokens stay, for the audit trail to point at.
 * Takes no lock worth a word: all is new.
 */
export class CreateAccess implements MigrationInterface {
  name = 'CreateAccess0000000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE tokens (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        role text NOT NULL,
        token_hash bytea NOT NULL,
        prefix text NOT NULL,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        expires_at timestamptz,
        last_used_at timestamptz,
        revoked_at timestamptz,
        revoked_by text,
        CONSTRAINT tokens_token_hash UNIQUE (token_hash),
        CONSTRAINT tokens_token_hash_is_sha256 CHECK (octet_length(token_hash) = 32),
        CONSTRAINT tokens_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
        CONSTRAINT tokens_role CHECK (role IN ('viewer', 'operator', 'worker', 'admin')),
        CONSTRAINT tokens_expire_later CHECK (expires_at > created_at),
        CONSTRAINT tokens_revoked_by_someone CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
      )`);
    await runner.query(`CREATE UNIQUE INDEX tokens_name ON tokens (name) WHERE revoked_at IS NULL`);

    await runner.query(`
      CREATE TABLE access_events (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL,
        action text NOT NULL,
        actor text NOT NULL,
        token_id uuid NOT NULL REFERENCES tokens (id),
        token_name text NOT NULL,
        details jsonb NOT NULL DEFAULT '{}',
        CONSTRAINT access_events_action CHECK (action IN ('token.created', 'token.renamed', 'token.revoked'))
      )`);
    await runner.query(`CREATE INDEX access_events_token ON access_events (token_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE access_events, tokens`);
  }
}
