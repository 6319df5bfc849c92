import { postgresDefinition } from '../lib/columns.ts';
import { USER_COLUMNS } from '../lib/user.ts';

// All that stands in the pipeline's database.

const USERS = Object.entries(USER_COLUMNS).map(([name, type]) => postgresDefinition(name, type));

export const TABLES: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS users (${USERS.join(', ')}, PRIMARY KEY (id))`,

  // What failed validation, as it came: bytes, because text can't hold everything.
  `CREATE TABLE IF NOT EXISTS rejected_users (
     id bigserial PRIMARY KEY,
     received_at timestamptz NOT NULL DEFAULT now(),
     source text,
     reason text,
     raw bytea
   )`,

  // The first page of each sequence that nobody has claimed yet.
  `CREATE TABLE IF NOT EXISTS ingest_state (
     sequence text PRIMARY KEY,
     next_page bigint NOT NULL
   )`,

  // The pages before it that aren't stored yet, and until when they are their owner's.
  `CREATE TABLE IF NOT EXISTS ingest_claims (
     sequence text NOT NULL,
     page bigint NOT NULL,
     owner text NOT NULL,
     expires_at timestamptz NOT NULL,
     PRIMARY KEY (sequence, page)
   )`,

  // How many users a source was asked for at which time, as far back as its budget reaches.
  `CREATE TABLE IF NOT EXISTS ingest_spent (
     source text NOT NULL,
     at timestamptz NOT NULL,
     users bigint NOT NULL,
     PRIMARY KEY (source, at)
   )`,

  // The slot this database is meant to have. Its epoch counts the slots there have been; all that the present one hands
  // out lies behind start_lsn, which is null until it is known.
  `CREATE TABLE IF NOT EXISTS relay_state (
     slot text PRIMARY KEY,
     epoch int NOT NULL,
     snapshot_done boolean NOT NULL,
     start_lsn pg_lsn
   )`,
  // When the server was started that the relay last knew to go on where the topic ends.
  'ALTER TABLE relay_state ADD COLUMN IF NOT EXISTS server_started timestamptz',
  // The columns of `users` that are published; null where they are the built-in ones.
  'ALTER TABLE relay_state ADD COLUMN IF NOT EXISTS columns text[]',
  // The mark of the publication (workers/lib/publication.ts) that the slot was made with.
  'ALTER TABLE relay_state ADD COLUMN IF NOT EXISTS publication text',
  // The marks of these columns (workers/relay/rewrite.ts); null where the relay has yet to note them.
  'ALTER TABLE relay_state ADD COLUMN IF NOT EXISTS column_marks jsonb',
];

/** The old row travels with an update: large values that stayed the same are missing from the new one. */
export const REPLICA_IDENTITY = 'ALTER TABLE users REPLICA IDENTITY FULL';

/** What the trigger of a TRUNCATE does. */
export const BEFORE_TRUNCATE = `
    BEGIN
      IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        RAISE EXCEPTION 'TRUNCATE of % in a transaction that is %: begin it READ COMMITTED, or use DELETE',
          TG_RELID::regclass, upper(current_setting('transaction_isolation'));
      END IF;
      EXECUTE format('DELETE FROM %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME);
      RETURN NULL;
    END
  `;

/**
 * A TRUNCATE says only that all rows are gone: before it, each row is deleted, so that the WAL names every one, also where
 * `session_replication_role` silences other triggers. It takes rows too that an old snapshot can't see to delete.
 */
export const TRUNCATE_TRIGGER = `
  CREATE OR REPLACE FUNCTION users_before_truncate() RETURNS trigger LANGUAGE plpgsql AS $$${BEFORE_TRUNCATE}$$;
  CREATE OR REPLACE TRIGGER users_before_truncate BEFORE TRUNCATE ON users
    FOR EACH STATEMENT EXECUTE FUNCTION users_before_truncate();
  ALTER TABLE users ENABLE ALWAYS TRIGGER users_before_truncate`;
