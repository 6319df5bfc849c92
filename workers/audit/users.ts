import { USER_COLUMNS } from '../lib/user.ts';
import type { Query } from './postgres.ts';

/** A user as Postgres holds it. */
export type User = {
  id: string;
  /** Changes with every change of the row. */
  version: string;
  /** The user as a JSON object of the SQL's view `users`; timestamps are milliseconds since 1970. */
  line: string;
};

/** A page is cut when it is longer than this, so that rows of megabytes don't come by the hundred. */
const PAGE_BYTES = 4 * 1024 * 1024;

/** An infinite timestamp can't be written by the relay either. */
const values = Object.entries(USER_COLUMNS).map(([name, type]) =>
  type === 'timestamp'
    ? `CASE WHEN isfinite(u.${name}) THEN (extract(epoch FROM u.${name}) * 1000)::bigint END AS ${name}`
    : `u.${name}`,
);

const USER = `u.id::text, u.xmin::text AS version, row_to_json(seen)::text AS line
  FROM users AS u, LATERAL (SELECT ${values.join(', ')}) AS seen`;

const page = (where: string) => `
  SELECT id, version, line FROM (
    SELECT *, sum(octet_length(line)) OVER (ORDER BY place) - octet_length(line) AS before
    FROM (SELECT u.id AS place, ${USER} ${where} ORDER BY u.id LIMIT $1) AS page
  ) AS sized WHERE before < ${PAGE_BYTES} ORDER BY place`;

const FIRST_PAGE = page('');
const NEXT_PAGE = page('WHERE u.id > $2');

/** The users of Postgres, read a page at a time in short statements, so that no old snapshot is kept for it. */
export class Users {
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  /** All users by id, in pages of `limit` at most; what changes meanwhile may be seen before or after. */
  async *pages(limit: number): AsyncGenerator<User[]> {
    let users = await this.#query<User>(FIRST_PAGE, [limit]);
    for (let last = users.at(-1); last; last = users.at(-1)) {
      yield users;
      users = await this.#query<User>(NEXT_PAGE, [limit, last.id]);
    }
  }

  /** The ids alone, which an index tells. */
  async *idPages(limit: number): AsyncGenerator<string[]> {
    const select = (where: string) => `SELECT id::text FROM users ${where} ORDER BY users.id LIMIT $1`;
    let rows = await this.#query<{ id: string }>(select(''), [limit]);
    for (let last = rows.at(-1); last; last = rows.at(-1)) {
      yield rows.map(({ id }) => id);
      rows = await this.#query(select('WHERE id > $2'), [limit, last.id]);
    }
  }

  async byIds(ids: readonly string[]): Promise<User[]> {
    return await this.#query<User>(`SELECT ${USER} WHERE u.id = ANY($1::uuid[])`, [ids]);
  }

  /** Those of `ids` that there are. */
  async existing(ids: readonly string[]): Promise<Set<string>> {
    const select = 'SELECT id::text FROM users WHERE id = ANY($1::uuid[])';
    return new Set((await this.#query<{ id: string }>(select, [ids])).map(({ id }) => id));
  }
}
