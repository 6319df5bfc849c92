import type { Client } from 'pg';
import { columnsOfSchema } from '../lib/avro.ts';
import type { Columns } from '../lib/columns.ts';
import { StageError } from '../lib/health.ts';
import type { SubjectClient } from '../lib/registry.ts';
import { type Lsn, parseLsn } from './lsn.ts';

/** What the records of a session are written with. */
export type Schema = {
  id: number;
  columns: Columns;
  /** Where the WAL ended when it was read: a column that the table had before and that isn't in it is somebody else's. */
  asOf: Lsn;
  /** Postgres's schema that the table is in. */
  namespace: string;
};

/** The table has a column that may have come after the schema was read: the next session reads the schema anew. */
export class TableAltered extends Error {
  constructor(column: string) {
    super(`table users has a column ${column} that is not in the schema, or not yet`);
  }
}

type Known = { wal: string; namespace: string; columns: string[] | null };

const KNOWN = `
  SELECT pg_current_wal_insert_lsn()::text AS wal, nspname AS namespace, columns
  FROM (VALUES ($1::text)) AS wanted (slot)
  LEFT JOIN relay_state USING (slot)
  JOIN pg_class AS users ON users.oid = 'users'::regclass
  JOIN pg_namespace ON pg_namespace.oid = relnamespace`;

/**
 * The subject's newest schema. Provision registers a column before it adds it to the table, so the order of the two reads
 * matters.
 * @throws {StageError} SchemaUnexpected where it isn't a user's, SchemaBehind where it lacks what provision registered
 */
export async function readSchema(
  control: Client,
  slot: string,
  subject: Pick<SubjectClient, 'latest'>,
): Promise<Schema> {
  const { rows } = await control.query<Known>(KNOWN, [slot]);
  const { wal, namespace, columns: registered } = rows[0] as Known;
  const { id, schema } = await subject.latest();
  const columns = columnsOfSchema(schema);
  if (!columns) throw unexpected(id);
  const lacking = (registered ?? []).filter((name) => !Object.hasOwn(columns, name));
  if (lacking.length > 0) throw behind(id, lacking);
  return { id, columns, asOf: parseLsn(wal), namespace };
}

function unexpected(id: number): StageError {
  return new StageError(
    'SchemaRegistry',
    'SchemaUnexpected',
    `the subject's newest schema, ${id}, is not one that the provision job registers: remove that version`,
  );
}

function behind(id: number, columns: string[]): StageError {
  return new StageError(
    'SchemaRegistry',
    'SchemaBehind',
    `the subject's newest schema, ${id}, lacks ${columns.join(', ')}, which were registered: the registry was set back, or one of its pods lags; run the provision job again if this lasts`,
  );
}
