import type { Client } from 'pg';
import { encode, toAvroUser } from '../lib/avro.ts';
import { USER_COLUMNS } from '../lib/user.ts';
import type { Change } from './changes.ts';

const PAGE_ROWS = 1000;
/** A page ends with the row that passes this: what a broker takes in one batch, whatever the rows weigh. */
const PAGE_BYTES = 512 * 1024;
const COLUMNS = Object.keys(USER_COLUMNS).join(', ');
const TEXTS = Object.entries(USER_COLUMNS).flatMap(([column, type]) => (type === 'text' ? [column] : []));
/** Known to the server without reading a large value. */
const BYTES = TEXTS.map((column) => `coalesce(octet_length(${column}), 0)`).join(' + ');
const PAGE = `
  WITH page AS (
    SELECT ${COLUMNS}, ${BYTES} AS bytes FROM users WHERE id > $1 OR $1 IS NULL ORDER BY id LIMIT ${PAGE_ROWS}
  ), counted AS (SELECT *, sum(bytes) OVER (ORDER BY id) - bytes AS before FROM page)
  SELECT ${COLUMNS} FROM counted WHERE before < ${PAGE_BYTES} ORDER BY id`;

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
    // The server reads while the broker writes. No batch may be under way any more when this fails.
    const published = publish(page.map((row) => changeOf(row, version, committedAt)));
    const [next] = await Promise.allSettled([readPage(client, page.at(-1)?.id), published]);
    await published;
    if (next.status === 'rejected') throw next.reason;
    page = next.value;
  }
  return count;
}

async function readPage(client: Client, after?: string): Promise<Row[]> {
  const { rows } = await client.query<Row>(PAGE, [after]);
  return rows;
}

function changeOf(row: Row, version: bigint, committedAt: number): Change {
  return { id: row.id, version, committedAt, encode: (schemaId) => encode(schemaId, toAvroUser(row)) };
}
