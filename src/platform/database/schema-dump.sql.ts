// What a schema consists of, from pg_catalog. All in a fixed order, and in PostgreSQL's own notation where it has one.
// Things that an extension has brought are left out; so are TypeORM's own tables.

const OWN = (oid: string, catalog: string): string =>
  `NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.objid = ${oid} AND e.classid = '${catalog}'::regclass AND e.deptype = 'e')`;

export const EXTENSIONS = `
  SELECT extname AS name FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY extname COLLATE "C"`;

export const ENUMS = `
  SELECT t.typname AS name, array_agg(e.enumlabel::text ORDER BY e.enumsortorder) AS labels
    FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
   WHERE t.typnamespace = current_schema()::regnamespace AND ${OWN('t.oid', 'pg_type')}
   GROUP BY t.typname ORDER BY t.typname COLLATE "C"`;

export const DOMAINS = `
  SELECT t.typname AS name, format_type(t.typbasetype, t.typtypmod) AS type, t.typnotnull AS "notNull", t.typdefault AS "default",
         array(SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c
                WHERE c.contypid = t.oid AND c.contype = 'c' ORDER BY c.conname COLLATE "C") AS checks
    FROM pg_type t
   WHERE t.typtype = 'd' AND t.typnamespace = current_schema()::regnamespace AND ${OWN('t.oid', 'pg_type')}
   ORDER BY t.typname COLLATE "C"`;

/** Sequences of identity and serial columns show with their columns. */
export const SEQUENCES = `
  SELECT c.relname AS name, format_type(s.seqtypid, NULL) AS type, s.seqstart AS start, s.seqincrement AS increment,
         s.seqmin AS minimum, s.seqmax AS maximum, s.seqcycle AS cycle
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
   WHERE c.relnamespace = current_schema()::regnamespace AND ${OWN('c.oid', 'pg_class')}
     AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
   ORDER BY c.relname COLLATE "C"`;

export const TABLES = `
  SELECT c.oid::text AS oid, c.relname AS name, c.relpersistence = 'u' AS unlogged,
         pg_get_partkeydef(c.oid) AS "partitionKey", pg_get_expr(c.relpartbound, c.oid) AS "partitionBound",
         (SELECT i.inhparent::regclass::text FROM pg_inherits i WHERE i.inhrelid = c.oid) AS parent,
         array(SELECT o FROM unnest(c.reloptions) o ORDER BY o)
           || array(SELECT 'toast.' || o FROM pg_class t, unnest(t.reloptions) o WHERE t.oid = c.reltoastrelid ORDER BY o) AS options,
         obj_description(c.oid, 'pg_class') AS comment
    FROM pg_class c
   WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace AND ${OWN('c.oid', 'pg_class')}
     AND c.relname NOT IN ('migrations', 'typeorm_metadata')
   ORDER BY c.relname COLLATE "C"`;

export const COLUMNS = `
  SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS "notNull",
         a.attidentity AS identity, a.attgenerated AS generated, pg_get_expr(d.adbin, d.adrelid) AS "default",
         (SELECT quote_ident(l.collname) FROM pg_collation l, pg_type t
           WHERE l.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS collation,
         CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END AS storage,
         NULLIF(a.attcompression, '') AS compression, a.attstattarget AS statistics, a.attoptions AS options,
         col_description(a.attrelid, a.attnum) AS comment
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
   ORDER BY a.attnum`;

/** NOT NULL shows with the column: only some versions of PostgreSQL keep it as a constraint. */
export const CONSTRAINTS = `
  SELECT conname AS name, pg_get_constraintdef(oid) AS definition
    FROM pg_constraint WHERE conrelid = $1::oid AND contype IN ('p', 'u', 'f', 'c', 'x')
   ORDER BY contype = 'p' DESC, conname COLLATE "C"`;

export const INDEXES = `
  SELECT pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
   WHERE i.indrelid = $1::oid
     AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
   ORDER BY c.relname COLLATE "C"`;

export const TRIGGERS = `
  SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger
   WHERE tgrelid = $1::oid AND NOT tgisinternal ORDER BY tgname COLLATE "C"`;

export const VIEWS = `
  SELECT c.relname AS name, c.relkind = 'm' AS materialized, c.reloptions AS options,
         rtrim(pg_get_viewdef(c.oid, true), ';') AS definition,
         array(SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i WHERE i.indrelid = c.oid ORDER BY 1) AS indexes
    FROM pg_class c
   WHERE c.relkind IN ('v', 'm') AND c.relnamespace = current_schema()::regnamespace AND ${OWN('c.oid', 'pg_class')}
   ORDER BY c.relname COLLATE "C"`;

export const FUNCTIONS = `
  SELECT pg_get_functiondef(p.oid) AS definition
    FROM pg_proc p
   WHERE p.prokind IN ('f', 'p') AND p.pronamespace = current_schema()::regnamespace AND ${OWN('p.oid', 'pg_proc')}
   ORDER BY p.proname COLLATE "C", pg_get_function_identity_arguments(p.oid) COLLATE "C"`;
