import type { Client } from 'pg';
import { COLUMN_TYPES, type Columns, postgresDefinition } from '../lib/columns.ts';
import { StageError } from '../lib/health.ts';
import { USER_COLUMNS } from '../lib/user.ts';
import { BEFORE_TRUNCATE, REPLICA_IDENTITY, TRUNCATE_TRIGGER } from './ddl.ts';

type Column = { name: string; type: string; mandatory: boolean };

/** A table `users` as it stands; `ours` where a pipeline has been provisioned in this database before. */
export type Present = { ours: boolean; kind: string; key: string[]; columns: Column[] };

const PRESENT = `
  SELECT to_regclass('relay_state') IS NOT NULL AS ours, relkind AS kind,
         ARRAY(SELECT attname::text FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
               WHERE indrelid = users.oid AND indisprimary) AS key,
         (SELECT coalesce(json_agg(json_build_object('name', attname, 'type', format_type(atttypid, NULL),
                                            'mandatory', attnotnull AND NOT atthasdef AND attidentity = '')), '[]')
          FROM pg_attribute WHERE attrelid = users.oid AND attnum > 0 AND NOT attisdropped) AS columns
  FROM pg_class AS users WHERE users.oid = to_regclass('users')`;

/**
 * Looks at a table `users` that is there already, before anything is altered.
 * @throws {StageError} TableUnexpected naming all that doesn't fit. Columns are added only to a table of the pipeline's own.
 */
export async function checkUsersTable(client: Client, wanted: Columns): Promise<void> {
  const { rows } = await client.query<Present>(PRESENT);
  const faults = rows[0] ? faultsOf(rows[0], wanted) : [];
  if (faults.length === 0) return;
  throw new StageError(
    'Postgres',
    'TableUnexpected',
    `the database has a table users that does not fit: ${faults.join('; ')}; alter it, give a field another name, or give the pipeline a database of its own`,
  );
}

/** What keeps the table from being the pipeline's, with the `wanted` columns. */
export function faultsOf({ ours, kind, key, columns }: Present, wanted: Columns): string[] {
  if (kind !== 'r') return ['it is not a plain table'];
  const faults: string[] = [];
  for (const [name, type] of Object.entries(wanted)) {
    const found = columns.find((column) => column.name === name);
    const { postgres } = COLUMN_TYPES[type];
    if (!found && !ours) faults.push(`it lacks column ${name} of type ${postgres}`);
    if (found && found.type !== postgres)
      faults.push(`column ${name} is of type ${found.type}, not ${postgres}`);
  }
  if (key.join() !== 'id') faults.push('its primary key is not id');
  for (const { name, mandatory } of columns) {
    if (mandatory && !(name in wanted)) faults.push(`column ${name} is NOT NULL without a default`);
  }
  return faults;
}

/** Alters only what differs: altering locks the table, and waits for all who use it. */
export async function ensureUsersTable(client: Client): Promise<void> {
  await addColumns(client, USER_COLUMNS);
  const { rows } = await client.query<{ full: boolean; guarded: boolean }>(
    `SELECT relreplident = 'f' AS full,
            EXISTS (SELECT FROM pg_trigger JOIN pg_proc AS body ON body.oid = tgfoid
                    WHERE tgrelid = users.oid AND tgname = 'users_before_truncate'
                    AND tgenabled = 'A' AND prosrc = $1) AS guarded
     FROM pg_class AS users WHERE users.oid = 'users'::regclass`,
    [BEFORE_TRUNCATE],
  );
  if (!rows[0]?.full) await client.query(REPLICA_IDENTITY);
  if (!rows[0]?.guarded) await client.query(TRUNCATE_TRIGGER);
}

/** Adds the columns that are missing. @returns their names */
export async function addColumns(client: Client, columns: Columns): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname::text AS name FROM pg_attribute
     WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped`,
  );
  const present = new Set(rows.map(({ name }) => name));
  const missing = Object.entries(columns).filter(([name]) => !present.has(name));
  const additions = missing.map(([name, type]) => `ADD COLUMN ${postgresDefinition(name, type)}`);
  if (additions.length > 0) await client.query(`ALTER TABLE users ${additions.join(', ')}`);
  return missing.map(([name]) => name);
}
