import type { Client } from 'pg';
import { columnsOfSchema } from '../lib/avro.ts';
import type { Columns } from '../lib/columns.ts';
import { StageError } from '../lib/health.ts';
import type { SubjectClient } from '../lib/registry.ts';

/** What the records of a session are written with. */
export type Schema = {
  id: number;
  columns: Columns;
  /** The table's columns that are known to have no place in it. */
  foreign: ReadonlySet<string>;
};

/** The table has a column that came after the schema was read: the next session reads the schema anew. */
export class TableAltered extends Error {
  readonly column: string;

  constructor(column: string) {
    super(`table users has a new column ${column}`);
    this.column = column;
  }
}

const PRESENT = `
  SELECT attname::text AS name FROM pg_attribute
  WHERE attrelid = to_regclass('users') AND attnum > 0 AND NOT attisdropped`;

/**
 * The subject's newest schema. Provision registers a column before it adds it to the table: one that the table had before
 * the schema was read, and that isn't in it, is somebody else's, as is one of `met` by now.
 * @throws {StageError} SchemaUnexpected where the schema isn't a user's, and the registry's
 */
export async function readSchema(
  control: Client,
  subject: Pick<SubjectClient, 'latest'>,
  met: ReadonlySet<string>,
): Promise<Schema> {
  const { rows } = await control.query<{ name: string }>(PRESENT);
  const { id, schema } = await subject.latest();
  const columns = columnsOfSchema(schema);
  if (!columns) throw unexpected(id);
  const strangers = [...rows.map(({ name }) => name), ...met].filter((name) => !(name in columns));
  return { id, columns, foreign: new Set(strangers) };
}

function unexpected(id: number): StageError {
  return new StageError(
    'SchemaRegistry',
    'SchemaUnexpected',
    `the subject's newest schema, ${id}, has fields that no user has: only the provision job may register there; remove that version`,
  );
}
