import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Catalogues, the folders they watch, and what is known of each image in them.
 *
 * A row of `images` is an identity: its id outlives moves and edits of the file. `holds_path` says that it stands at its
 * path; a row whose `replaces` is set was found at the path of another image with other content and lives only until the
 * analysis has told whether that is an edit, a move or a new image. Takes no lock worth a word: all is new.
 */
export class CreateCatalogs implements MigrationInterface {
  name = 'CreateCatalogs0000000000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE catalogs (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT catalogs_name_length CHECK (length(name) BETWEEN 1 AND 200)
      )`);
    await runner.query(`CREATE UNIQUE INDEX catalogs_name ON catalogs (lower(name))`);

    // file_system_id: which folder of which file system was seen at the path, to notice another disk mounted there.
    await runner.query(`
      CREATE TABLE catalog_roots (
        id uuid PRIMARY KEY,
        catalog_id uuid NOT NULL REFERENCES catalogs ON DELETE CASCADE,
        path text COLLATE "C" NOT NULL,
        state text NOT NULL DEFAULT 'online',
        offline_reason text,
        state_since timestamptz NOT NULL DEFAULT now(),
        file_system_id text,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT catalog_roots_path UNIQUE (catalog_id, path),
        CONSTRAINT catalog_roots_state CHECK (state IN ('online', 'offline')),
        CONSTRAINT catalog_roots_offline_says_why CHECK ((state = 'offline') = (offline_reason IS NOT NULL))
      )`);

    // toast_tuple_target: tags go out of line early, so that counting and listing read narrow rows.
    await runner.query(`
      CREATE TABLE images (
        id uuid PRIMARY KEY,
        catalog_id uuid NOT NULL REFERENCES catalogs ON DELETE CASCADE,
        root_id uuid REFERENCES catalog_roots,
        folder text COLLATE "C" NOT NULL,
        name text COLLATE "C" NOT NULL,
        path text COLLATE "C" GENERATED ALWAYS AS (folder || name) STORED,
        holds_path boolean NOT NULL DEFAULT true,
        replaces uuid REFERENCES images ON DELETE CASCADE,
        state text NOT NULL,
        state_since timestamptz NOT NULL DEFAULT now(),
        due boolean NOT NULL,
        seen_size_bytes bigint NOT NULL,
        seen_modified_at timestamptz NOT NULL,
        sidecars text[] NOT NULL DEFAULT '{}',
        sidecar_stamp text NOT NULL DEFAULT '',
        last_change text,
        last_change_at timestamptz,
        last_change_by uuid,
        created_at timestamptz NOT NULL DEFAULT now(),

        checksum bytea,
        size_bytes bigint,
        modified_at timestamptz,
        analyzed_at timestamptz,
        analyzed_by uuid,
        analysis_type text,
        analysis_version int,

        format text,
        mime_type text,
        width int,
        height int,
        orientation smallint,
        taken_local timestamp,
        taken_at timestamptz,
        time_zone text,
        zone_source text,
        sub_second boolean,
        date_source text,
        date_confidence smallint,
        camera_make text,
        camera_model text,
        camera_serial text,
        lens text,
        exposure_seconds double precision,
        f_number double precision,
        iso double precision,
        focal_length_mm double precision,
        focal_length_35_mm double precision,
        flash_fired boolean,
        latitude double precision,
        longitude double precision,
        altitude_m double precision,
        geohash text COLLATE "C",
        burst_key text,
        description text,
        keywords text[] NOT NULL DEFAULT '{}',
        rating smallint,
        tags jsonb,
        date_candidates jsonb,
        thumbhash bytea,

        CONSTRAINT images_state CHECK (state IN ('pending', 'active', 'missing', 'offline')),
        CONSTRAINT images_without_root_is_missing CHECK (root_id IS NOT NULL OR (state = 'missing' AND NOT holds_path)),
        CONSTRAINT images_arrival CHECK (replaces IS NULL OR (state = 'pending' AND NOT holds_path AND NOT due)),
        CONSTRAINT images_unread_is_due CHECK (checksum IS NOT NULL OR due OR state = 'missing'),
        CONSTRAINT images_checksum_is_sha256 CHECK (octet_length(checksum) = 32),
        CONSTRAINT images_analysis CHECK ((checksum IS NULL) = (analyzed_at IS NULL)),
        CONSTRAINT images_position CHECK (
          (latitude IS NULL) = (longitude IS NULL) AND latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180)
      ) WITH (toast_tuple_target = 512)`);
    // One image stands at a path. The scan reads its folders from it.
    await runner.query(`
      CREATE UNIQUE INDEX images_place ON images (root_id, folder, name) WHERE holds_path`);
    await runner.query(`CREATE UNIQUE INDEX images_replaces ON images (replaces) WHERE replaces IS NOT NULL`);
    await runner.query(`CREATE INDEX images_due ON images (catalog_id, id) WHERE due`);
    // Read, but not yet told apart from images that have gone: small, and empty between analyses.
    await runner.query(`
      CREATE INDEX images_unsettled ON images (catalog_id, checksum) WHERE state = 'pending' AND checksum IS NOT NULL`);
    // Images that have gone, by content; exact duplicates.
    await runner.query(`CREATE INDEX images_checksum ON images (catalog_id, checksum) WHERE checksum IS NOT NULL`);
    await runner.query(`
      CREATE INDEX images_last_change ON images (last_change_by) WHERE last_change_by IS NOT NULL`);
    // The list's sort orders; ids are time-ordered, so (catalog_id, id) is the order of import.
    await runner.query(`CREATE INDEX images_imported ON images (catalog_id, id)`);
    await runner.query(`
      CREATE INDEX images_taken ON images (catalog_id, (coalesce(taken_local, '-infinity'::timestamp)), id)`);
    await runner.query(`CREATE INDEX images_path ON images (catalog_id, path, id)`);
    await runner.query(`CREATE INDEX images_size ON images (catalog_id, seen_size_bytes, id)`);

    await runner.query(`
      CREATE TABLE image_renditions (
        image_id uuid NOT NULL REFERENCES images ON DELETE CASCADE,
        size int NOT NULL,
        width int NOT NULL,
        height int NOT NULL,
        mime_type text NOT NULL,
        size_bytes bigint NOT NULL,
        quality smallint NOT NULL,
        blob_key text NOT NULL,
        source_checksum bytea NOT NULL,
        task_id uuid NOT NULL,
        task_type text NOT NULL,
        task_version int NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (image_id, size),
        CONSTRAINT image_renditions_blob_key UNIQUE (blob_key),
        CONSTRAINT image_renditions_size CHECK (size BETWEEN 16 AND 4096)
      )`);
    await runner.query(`CREATE INDEX image_renditions_task ON image_renditions (task_id)`);

    await runner.query(`
      CREATE TABLE image_problems (
        image_id uuid NOT NULL REFERENCES images ON DELETE CASCADE,
        phase text NOT NULL,
        code text NOT NULL,
        severity text NOT NULL,
        message text NOT NULL,
        source_checksum bytea,
        task_id uuid NOT NULL,
        task_type text NOT NULL,
        task_version int NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (image_id, phase, code),
        CONSTRAINT image_problems_phase CHECK (phase IN ('analyze', 'thumbnails')),
        CONSTRAINT image_problems_severity CHECK (severity IN ('error', 'warning'))
      )`);
    await runner.query(`CREATE INDEX image_problems_code ON image_problems (code, image_id)`);

    // Blobs that no row names any more, until they are deleted: written in the transaction that lets go of them.
    await runner.query(`
      CREATE TABLE discarded_blobs (
        blob_key text PRIMARY KEY,
        discarded_at timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE discarded_blobs, image_problems, image_renditions, images, catalog_roots, catalogs`);
  }
}
