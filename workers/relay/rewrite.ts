import type { Client } from 'pg';
import { StageError } from '../lib/health.ts';
import { USER_COLUMNS } from '../lib/user.ts';

// ALTER TABLE may change a column's values (ALTER COLUMN … TYPE … USING …, or DROP COLUMN), and logical decoding says nothing of it.

const BUILT_IN = Object.keys(USER_COLUMNS).join();

/**
 * SQL for the marks of the columns that `state`, of relay_state, publishes: what each of them is, when its definition was
 * altered last (also by what changes no value, as a GRANT), and the file that the table's rows stand in.
 */
const MARKS = `
  (SELECT jsonb_build_object(
            'file', min(relfilenode::bigint),
            'columns', jsonb_object_agg(attname, concat_ws('/', attnum, atttypid, atttypmod)),
            'altered', jsonb_object_agg(attname, pg_attribute.xmin::text))
   FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
   WHERE attrelid = to_regclass('users') AND attnum > 0 AND NOT attisdropped
     AND attname::text = ANY (coalesce(state.columns, '{${BUILT_IN}}')))`;

/**
 * SQL for whether all columns that were noted in `state` have the values that they had; true where none are noted. Whatever
 * changes the values of a column changes its definition and writes the rows to another file; a TRUNCATE, or VACUUM FULL,
 * does only the latter.
 */
export const COLUMNS_KEPT = `
  coalesce(
    (SELECT (column_marks->'columns') <@ (now->'columns')
            AND ((column_marks->'file') = (now->'file') OR (column_marks->'altered') <@ (now->'altered'))
     FROM (SELECT ${MARKS} AS now) AS marks), true)`;

const REWRITTEN = 'TableRewritten';

/** The error where COLUMNS_KEPT is false. */
export function tableRewritten(): StageError {
  return new StageError(
    'Postgres',
    REWRITTEN,
    'a column of users was altered or dropped, by which its values may have changed without a trace in the WAL: all users are sent again under a new epoch',
  );
}

export function isRewritten(error: unknown): boolean {
  return error instanceof StageError && error.reason === REWRITTEN;
}

/** Notes the columns as they are, before anything more of them is published. */
export async function noteColumns(client: Client, slot: string): Promise<void> {
  await client.query(
    `UPDATE relay_state AS state SET column_marks = ${MARKS}
     WHERE slot = $1 AND ${COLUMNS_KEPT}`,
    [slot],
  );
}

/** Lets the next session begin a new epoch, and note the columns anew, unless another relay has seen to it. */
export async function sendAllAgain(client: Client, slot: string): Promise<void> {
  await client.query(
    `UPDATE relay_state AS state
     SET epoch = epoch + 1, snapshot_done = false, start_lsn = restart_lsn, column_marks = NULL
     FROM pg_replication_slots WHERE slot_name = slot AND slot = $1 AND NOT ${COLUMNS_KEPT}`,
    [slot],
  );
}
