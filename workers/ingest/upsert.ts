import { COLUMN_TYPES, type Columns } from '../lib/columns.ts';
import { binaryArray, type ColumnValue } from '../lib/postgres-arrays.ts';
import type { User } from '../lib/user.ts';

/** The statements that take users in as their first parameters (`usersParameters`), for a table with these columns. */
export type UserStatements = {
  /** The number of the first parameter that is the caller's. */
  next: number;
  /**
   * The users as a table `new`. As an array a column rather than by COPY to a staging table: one round trip, and no WAL
   * for what is staged (docs/performance.md has the figures).
   */
  source: string;
  /**
   * An INSERT of the users, if `guard`, that returns the ids of those written. One who stands unchanged is left out before
   * the insert (ON CONFLICT would lock his row, which is a WAL record of 56 bytes), and one who stands otherwise unless
   * `overwrite`; the condition on the update is for a writer in between. Sorted by id, so that two writers can't wait for
   * each other. OFFSET 0 has each old row looked up by its id: left to choose, the planner reads all of a small table
   * for each page.
   */
  upsert(guard: string, overwrite?: string): string;
  /** The ids of those who stand there exactly so. */
  unchanged: string;
};

export function userStatements(columns: Columns): UserStatements {
  const names = Object.keys(columns).map((name) => `"${name}"`);
  const values = names.filter((name) => name !== '"id"');
  const row = (table: string) => `(${values.map((name) => `${table}.${name}`).join(', ')})`;
  const arrays = Object.values(columns).map(
    (type, index) => `$${index + 1}::${COLUMN_TYPES[type].postgres}[]`,
  );
  const source = `unnest(${arrays.join(', ')}) AS new (${names.join(', ')})`;
  return {
    next: names.length + 1,
    source,
    upsert: (guard, overwrite = 'TRUE') => `
      INSERT INTO users (${names.join(', ')})
      SELECT ${names.map((name) => `new.${name}`).join(', ')} FROM ${source}
      LEFT JOIN LATERAL (SELECT * FROM users WHERE users.id = new.id OFFSET 0) AS old ON TRUE
      WHERE ${guard} AND (old.id IS NULL OR ${overwrite} AND ${row('old')} IS DISTINCT FROM ${row('new')})
      ORDER BY new.id
      ON CONFLICT (id) DO UPDATE SET ${values.map((name) => `${name} = excluded.${name}`).join(', ')}
      WHERE ${overwrite} AND ${row('users')} IS DISTINCT FROM ${row('excluded')}
      RETURNING id`,
    unchanged: `
      SELECT id FROM ${source} JOIN users AS old USING (id) WHERE ${row('old')} IS NOT DISTINCT FROM ${row('new')}`,
  };
}

/** The users column by column. */
export function usersParameters(columns: Columns, users: readonly User[]): Buffer[] {
  return Object.entries(columns).map(([name, type]) =>
    binaryArray(
      type,
      users.map((user) => (user as Record<string, ColumnValue>)[name] ?? null),
    ),
  );
}
