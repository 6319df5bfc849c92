import type { Access } from '../lib/access.ts';
import type { Sections } from '../lib/config.ts';
import { withClient } from '../lib/postgres.ts';

type Section = Sections['postgres'];
export type Found = { users: number; rejected: number };

/** A rejected user is kept as the API gave it, in which an id may be written in capitals too. */
const REJECTED = `position(convert_to($1, 'UTF8') IN raw) > 0 OR position(convert_to(upper($1), 'UTF8') IN raw) > 0`;

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

/** Whether the relay has had Kafka's acknowledgement for all that was committed before `position`. */
export function isPublished(section: Section, access: Access, position: string): Promise<boolean> {
  return withClient(section, access, async (client) => {
    const { rows } = await client.query<{ published: boolean }>(
      'SELECT confirmed_flush_lsn >= $2::pg_lsn AS published FROM pg_replication_slots WHERE slot_name = $1',
      [section.slot, position],
    );
    return rows[0]?.published === true;
  });
}

/** Where the WAL ends now. */
export function walEnd(section: Section, access: Access): Promise<string> {
  return withClient(section, access, async (client) => {
    const { rows } = await client.query<{ end: string }>('SELECT pg_current_wal_insert_lsn()::text AS end');
    return rows[0]?.end ?? '';
  });
}
