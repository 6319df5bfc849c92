import type { Client } from 'pg';
import type { Columns } from '../lib/columns.ts';
import type { Change } from './changes.ts';
import { TextRow } from './row.ts';
import { RowEncoder } from './row-encoder.ts';

const PAGE_ROWS = 1000;
/** A page ends with the row that passes this: what a broker takes in one batch, whatever the rows weigh. */
const PAGE_BYTES = 512 * 1024;

export type SnapshotOptions = {
  columns: Columns;
  publish(changes: Change[]): Promise<void>;
  signal: AbortSignal;
};

type Values = [id: string, ...(string | null)[]];

/**
 * Hands every row of `users` to `publish`, page by page in the order of ids. A page may show what was changed since; the
 * change itself follows in the stream under a higher version.
 * @param client a connection with VALUE_SETTINGS
 * @returns how many rows there were.
 */
export async function takeSnapshot(client: Client, options: SnapshotOptions): Promise<number> {
  const { columns, publish, signal } = options;
  const names = Object.keys(columns);
  const encoder = new RowEncoder(columns, (name) => names.indexOf(name));
  const statement = pageOf(columns);
  const read = (after?: string) => readPage(client, statement, after);
  let count = 0;
  for (let page = await read(); page.length > 0; ) {
    signal.throwIfAborted();
    count += page.length;
    // The server reads while the broker writes. No batch may be under way any more when this fails.
    const published = publish(page.map((row) => changeOf(row, encoder)));
    const [next] = await Promise.allSettled([read(page.at(-1)?.[0]), published]);
    await published;
    if (next.status === 'rejected') throw next.reason;
    page = next.value;
  }
  return count;
}

/** The statement that reads a page of rows behind the id `$1`: the id, then every column, as text. */
function pageOf(columns: Columns): string {
  const names = Object.keys(columns).map((name) => `"${name}"`);
  const texts = names.map((name) => `${name}::text`);
  // Known to the server without reading a large value.
  const large = Object.entries(columns).filter(([, type]) => type === 'text');
  const bytes = large.map(([name]) => `coalesce(octet_length("${name}"), 0)`).join(' + ');
  return `
    WITH page AS (
      SELECT ${names.join(', ')}, ${bytes} AS __bytes FROM users WHERE id > $1 OR $1 IS NULL ORDER BY id LIMIT ${PAGE_ROWS}
    ), counted AS (SELECT *, sum(__bytes) OVER (ORDER BY id) - __bytes AS __before FROM page)
    SELECT id::text, ${texts.join(', ')} FROM counted WHERE __before < ${PAGE_BYTES} ORDER BY counted.id`;
}

async function readPage(client: Client, text: string, after?: string): Promise<Values[]> {
  const { rows } = await client.query<Values>({ text, values: [after], rowMode: 'array' });
  return rows;
}

/** When the row was committed is not known. */
function changeOf([id, ...texts]: Values, encoder: RowEncoder): Change {
  const encode = (schemaId: number) => encoder.encode(new TextRow(texts), schemaId);
  return { id, isNew: false, committedAt: undefined, encode };
}
