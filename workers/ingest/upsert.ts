import { USER_COLUMNS, type User } from '../lib/user.ts';

const TYPES = { uuid: 'uuid', text: 'text', timestamp: 'timestamptz' };
const names = Object.keys(USER_COLUMNS);
const values = names.filter((name) => name !== 'id');
const row = (table: string) => `(${values.map((name) => `${table}.${name}`).join(', ')})`;
const typed = Object.entries(USER_COLUMNS).map(([name, type]) => `${name} ${TYPES[type]}`);

/**
 * The users of parameter `$1` (`usersParameter`) as a table `new`. As JSON in the statement itself rather than by COPY to
 * a staging table: one round trip, and no WAL for what is staged (docs/performance.md has the figures).
 */
export const NEW = `json_to_recordset($1) AS new (${typed.join(', ')})`;

export function usersParameter(users: User[]): string {
  return JSON.stringify(users);
}

/**
 * An INSERT of the users of `$1`, if `guard`, that returns the ids of those written. One who stands unchanged is left out
 * before the insert (ON CONFLICT would lock his row, which is a WAL record of 56 bytes), and one who stands otherwise
 * unless `overwrite`; the condition on the update is for a writer in between. Sorted by id, so that two writers can't
 * wait for each other.
 */
export function upsert(guard: string, overwrite = 'TRUE'): string {
  return `
    INSERT INTO users (${names.join(', ')})
    SELECT ${names.map((name) => `new.${name}`).join(', ')} FROM ${NEW} LEFT JOIN users AS old USING (id)
    WHERE ${guard} AND (old.id IS NULL OR ${overwrite} AND ${row('old')} IS DISTINCT FROM ${row('new')})
    ORDER BY new.id
    ON CONFLICT (id) DO UPDATE SET ${values.map((name) => `${name} = excluded.${name}`).join(', ')}
    WHERE ${overwrite} AND ${row('users')} IS DISTINCT FROM ${row('excluded')}
    RETURNING id`;
}

/** Of the users of `$1` the ids of those who stand there exactly so. */
export const UNCHANGED = `
  SELECT id FROM ${NEW} JOIN users AS old USING (id) WHERE ${row('old')} IS NOT DISTINCT FROM ${row('new')}`;
