import type { Client } from 'pg';
import { encode, toAvroUser } from '../lib/avro.ts';
import { USER_COLUMNS } from '../lib/user.ts';
import type { Change } from './changes.ts';

const PAGE_ROWS = 1000;
const COLUMNS = Object.keys(USER_COLUMNS).join(', ');

/**
 * Hands every row of `users` to `publish`, page by page in the order of ids, under one version: that of the slot's
 * beginning. A page may show what was changed since; the change itself follows in the stream under a higher version.
 * @returns how many rows there were.
 */
export async function takeSnapshot(
  client: Client,
  version: bigint,
  publish: (changes: Change[]) => Promise<void>,
  signal: AbortSignal,
): Promise<number> {
  let [after, count] = ['00000000-0000-0000-0000-000000000000', 0];
  for (let comparison = '>='; ; comparison = '>') {
    signal.throwIfAborted();
    const { rows } = await client.query<Record<string, unknown> & { id: string }>(
      `SELECT ${COLUMNS} FROM users WHERE id ${comparison} $1 ORDER BY id LIMIT ${PAGE_ROWS}`,
      [after],
    );
    const last = rows.at(-1);
    if (!last) return count;
    const committedAt = Date.now();
    await publish(rows.map((row) => changeOf(row, version, committedAt)));
    after = last.id;
    count += rows.length;
  }
}

function changeOf(
  row: Record<string, unknown> & { id: string },
  version: bigint,
  committedAt: number,
): Change {
  return { id: row.id, version, committedAt, encode: (schemaId) => encode(schemaId, toAvroUser(row)) };
}
