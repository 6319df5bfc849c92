import type { Pool } from 'pg';
import { USER_COLUMNS, type User } from '../lib/user.ts';
import type { Rejected } from './page.ts';

/** The place of a batch in its sequence. */
export type Claim = { sequence: string; page: number };

export type Batch = {
  users: User[];
  rejected: Rejected[];
  /** How the source of the rejected users is called. */
  source: string;
};

const TYPES = { uuid: 'uuid', text: 'text', timestamp: 'timestamptz' };
const names = Object.keys(USER_COLUMNS);
const values = names.filter((name) => name !== 'id');
const row = (table: string) => `(${values.map((name) => `${table}.${name}`).join(', ')})`;
const typed = Object.entries(USER_COLUMNS).map(([name, type]) => `${name} ${TYPES[type]}`);

/**
 * One statement, so one round trip and one transaction. A user who stands there unchanged is left out before the insert
 * (ON CONFLICT would lock his row, which is a WAL record of 56 bytes); the condition on the update is for a writer in
 * between. One JSON text goes in rather than an array a column: measured as fast at the least, and simpler.
 * Sorted by id, so that two writers can't wait for each other.
 */
const write = (guard: string) => `
  accepted AS (
    INSERT INTO users (${names.join(', ')})
    SELECT ${names.map((name) => `new.${name}`).join(', ')}
    FROM json_to_recordset($1) AS new (${typed.join(', ')}) LEFT JOIN users AS old USING (id)
    WHERE ${guard} AND (old.id IS NULL OR ${row('old')} IS DISTINCT FROM ${row('new')})
    ORDER BY new.id
    ON CONFLICT (id) DO UPDATE SET ${values.map((name) => `${name} = excluded.${name}`).join(', ')}
    WHERE ${row('users')} IS DISTINCT FROM ${row('excluded')}
  ), refused AS (
    INSERT INTO rejected_users (source, reason, raw)
    SELECT $2, reason, decode(raw, 'base64')
    FROM json_to_recordset($3) AS new (reason text, raw text)
    WHERE ${guard}
  )`;

/** Whoever moves the page on stores the batch; a second writer of the same page waits for him, then does nothing. */
const STORE_CLAIMED = {
  name: 'store-claimed',
  text: `
    WITH claimed AS (
      UPDATE ingest_state SET next_page = next_page + 1 WHERE sequence = $4 AND next_page = $5 RETURNING next_page
    ), ${write('EXISTS (SELECT FROM claimed)')}
    SELECT FROM claimed`,
};

const STORE = { name: 'store', text: `WITH ${write('TRUE')} SELECT` };

/** What `ingest` keeps in Postgres. Errors are those of `pg`. */
export class Store {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** The page that `sequence` is to go on with: 1 for a new one. */
  async nextPage(sequence: string): Promise<number> {
    const insert = 'INSERT INTO ingest_state (sequence, next_page) VALUES ($1, 1) ON CONFLICT DO NOTHING';
    const select = 'SELECT next_page FROM ingest_state WHERE sequence = $1';
    const standing = await this.#pool.query(select, [sequence]);
    if (standing.rows[0]) return Number(standing.rows[0].next_page);
    await this.#pool.query(insert, [sequence]);
    return Number((await this.#pool.query(select, [sequence])).rows[0].next_page);
  }

  /** Writes a batch that has no place in a sequence. */
  async write(batch: Batch): Promise<void> {
    await this.#pool.query({ ...STORE, values: parameters(batch) });
  }

  /** Writes a batch and moves its sequence on, both or neither; false when another has moved it on already. */
  async writeClaimed(batch: Batch, claim: Claim): Promise<boolean> {
    const result = await this.#pool.query({
      ...STORE_CLAIMED,
      values: [...parameters(batch), claim.sequence, claim.page],
    });
    return result.rowCount === 1;
  }
}

function parameters({ users, source, rejected }: Batch): string[] {
  const refused = rejected.map(({ reason, raw }) => ({ reason, raw: raw.toString('base64') }));
  return [JSON.stringify(users), source, JSON.stringify(refused)];
}
