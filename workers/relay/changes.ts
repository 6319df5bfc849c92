import type { Pgoutput } from 'pg-logical-replication';
import { StageError } from '../lib/health.ts';

/** What happened to one user. `row` is null when the user is gone. */
export type Change = {
  id: string;
  row: Record<string, unknown> | null;
  version: bigint;
  /** When the transaction was committed, in milliseconds since 1970: for freshness, never for order. */
  committedAt: number;
};

/** The table whose changes are carried; a publication may hold more. */
const TABLE = 'users';

/**
 * The changes that one WAL message amounts to, in order: an update of the key is the end of the old user and the
 * beginning of the new. Messages about anything but rows of `users` amount to none.
 */
export function changesOf(message: Pgoutput.Message, version: bigint, committedAt: number): Change[] {
  if (message.tag !== 'insert' && message.tag !== 'update' && message.tag !== 'delete') return [];
  if (message.relation.name !== TABLE) return [];
  const gone = (row: Record<string, unknown>): Change => ({ id: idOf(row), row: null, version, committedAt });
  const stands = (row: Record<string, unknown>): Change => ({
    id: idOf(row),
    row: whole(row),
    version,
    committedAt,
  });
  if (message.tag === 'insert') return [stands(message.new)];
  const before = message.old ?? message.key;
  if (message.tag === 'delete') return [gone(before ?? {})];
  const moved = before !== null && idOf(before) !== idOf(message.new);
  return moved ? [gone(before), stands(message.new)] : [stands(message.new)];
}

function idOf(row: Record<string, unknown>): string {
  const { id } = row;
  if (typeof id === 'string') return id;
  throw new StageError(
    'Postgres',
    'TableUnexpected',
    `table ${TABLE} has a row without a text id: its column id must be the uuid primary key`,
  );
}

/** A large value that an update left alone is not in the WAL unless the old row is. */
function whole(row: Record<string, unknown>): Record<string, unknown> {
  for (const [column, value] of Object.entries(row)) {
    if (value !== undefined) continue;
    throw new StageError(
      'Postgres',
      'ReplicaIdentityNotFull',
      `table ${TABLE}: an update does not carry column ${column}; run ALTER TABLE ${TABLE} REPLICA IDENTITY FULL, then drop the slot: provision makes a new one and the table is published anew`,
    );
  }
  return row;
}
