import type { Access } from '../lib/access.ts';
import type { Sections } from '../lib/config.ts';
import { withClient } from '../lib/postgres.ts';
import type { Query } from '../lib/wal.ts';

type Section = Sections['postgres'];
export type Found = { users: number; rejected: number };

/** A rejected user is kept as the API gave it, whose bytes need be no text and whose id may have capitals. */
const REJECTED = `position(lower($1) IN lower(encode(raw, 'escape'))) > 0`;

/** Deletes the user from `users`, and from `rejected_users` what has its id in it; says how many rows that were. */
export function deleteUser(section: Section, access: Access, id: string): Promise<Found> {
  return withClient(section, access, async (client) => {
    await client.query('BEGIN');
    const users = await client.query('DELETE FROM users WHERE id = $1', [id]);
    const rejected = await client.query(`DELETE FROM rejected_users WHERE ${REJECTED}`, [id]);
    await client.query('COMMIT');
    return { users: users.rowCount ?? 0, rejected: rejected.rowCount ?? 0 };
  });
}

/** How many rows still hold the user. */
export function findUser(section: Section, access: Access, id: string): Promise<Found> {
  return withClient(section, access, async (client) => {
    const users = await client.query('SELECT FROM users WHERE id = $1', [id]);
    const rejected = await client.query(`SELECT FROM rejected_users WHERE ${REJECTED}`, [id]);
    return { users: users.rowCount ?? 0, rejected: rejected.rowCount ?? 0 };
  });
}

/** Does `work` with the statements of a connection of its own. */
export function withQuery<T>(
  section: Section,
  access: Access,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  return withClient(section, access, (client) =>
    work(async (text, parameters = []) => (await client.query(text, [...parameters])).rows),
  );
}
