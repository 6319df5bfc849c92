import type { Client } from 'pg';
import { markOf } from '../lib/publication.ts';

/**
 * Makes the publication, or mends it, so that it publishes every change of every user.
 * @returns its mark, by which a change of it shows
 */
export async function ensurePublication(client: Client, name: string): Promise<string> {
  const found = await readMark(client, name);
  if (found !== null) return found;
  const publication = client.escapeIdentifier(name);
  const { rowCount } = await client.query('SELECT FROM pg_publication WHERE pubname = $1', [name]);
  if (rowCount === 0) await client.query(`CREATE PUBLICATION ${publication}`);
  await client.query(`ALTER PUBLICATION ${publication} SET TABLE users`);
  await client.query(`ALTER PUBLICATION ${publication} SET (publish = 'insert, update, delete')`);
  return (await readMark(client, name)) ?? '';
}

async function readMark(client: Client, name: string): Promise<string | null> {
  const { rows } = await client.query<{ mark: string | null }>(`SELECT ${markOf('$1')} AS mark`, [name]);
  return rows[0]?.mark ?? null;
}
