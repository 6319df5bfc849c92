import type { Client } from 'pg';
import { encode, toAvroUser } from '../lib/avro.ts';
import { USER_COLUMNS } from '../lib/user.ts';
import type { Change } from './changes.ts';

const PAGE_ROWS = 1000;
const COLUMNS = Object.keys(USER_COLUMNS).join(', ');

type Row = Record<string, unknown> & { id: string };

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
  let count = 0;
  for (let page = await readPage(client); page.length > 0; ) {
    signal.throwIfAborted();
    const committedAt = Date.now();
    count += page.length;
    // The server reads while the broker writes.
    const published = publish(page.map((row) => changeOf(row, version, committedAt)));
    [page] = await Promise.all([readPage(client, page.at(-1)?.id), published]);
  }
  return count;
}

async function readPage(client: Client, after?: string): Promise<Row[]> {
  const { rows } = await client.query<Row>(
    `SELECT ${COLUMNS} FROM users WHERE id > $1 OR $1 IS NULL ORDER BY id LIMIT ${PAGE_ROWS}`,
    [after],
  );
  return rows;
}

function changeOf(row: Row, version: bigint, committedAt: number): Change {
  return { id: row.id, version, committedAt, encode: (schemaId) => encode(schemaId, toAvroUser(row)) };
}
