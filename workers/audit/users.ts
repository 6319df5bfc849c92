import type { Query } from '../lib/wal.ts';
import { LONGEST_BODY } from './driver.ts';
import { FIRST_SIZE, nextSize, PAGE_BYTES } from './page-size.ts';
import type { Column } from './row.ts';

/** A user as Postgres holds it. */
export type User = {
  id: string;
  /** Changes with every change of the row. */
  version: string;
  /**
   * The user as a JSON object of the SQL's view `users`; timestamps are milliseconds since 1970. None where it is longer
   * than Spark's driver takes.
   */
  line: string | null;
};

/** The statements that read users with the columns of `view`. */
function statements(view: readonly Column[]) {
  const values = view.map(([name, type]) => (type === 'timestamp' ? milliseconds(name) : `u."${name}"`));
  const user = `u.id::text, u.xmin::text AS version, row_to_json(__seen)::text AS line
    FROM users AS u, LATERAL (SELECT ${values.join(', ')}) AS __seen`;
  const sent = `id, version, CASE WHEN octet_length(line) < ${LONGEST_BODY} THEN line END AS line`;
  const page = (where: string) => `
    SELECT ${sent} FROM (
      SELECT *, sum(octet_length(line)) OVER (ORDER BY place) - octet_length(line) AS before
      FROM (SELECT u.id AS place, ${user} ${where} ORDER BY u.id LIMIT $1) AS page
    ) AS sized WHERE before < ${PAGE_BYTES} ORDER BY place`;
  return {
    firstPage: page(''),
    nextPage: page('WHERE u.id > $2'),
    byIds: `SELECT ${sent} FROM (SELECT ${user} WHERE u.id = ANY($1::uuid[])) AS found`,
  };
}

/** JavaScript's last moment, in seconds since 1970: the relay carries none that is later, as `infinity`. */
const LAST_MOMENT = 8_640_000_000_000;

function milliseconds(name: string): string {
  const epoch = `extract(epoch FROM u."${name}")`;
  return `CASE WHEN abs(${epoch}) <= ${LAST_MOMENT} THEN floor(${epoch} * 1000)::bigint END AS "${name}"`;
}

/** The users of Postgres, read a page at a time in short statements, so that no old snapshot is kept for it. */
export class Users {
  readonly #query: Query;
  readonly #statements: ReturnType<typeof statements>;

  /** @param view the columns of the SQL's view `users`, with Spark's types */
  constructor(query: Query, view: readonly Column[]) {
    this.#query = query;
    this.#statements = statements(view);
  }

  /** All users by id, in pages of `most` at most; what changes meanwhile may be seen before or after. */
  async *pages(most: number): AsyncGenerator<User[]> {
    let users = await this.#query<User>(this.#statements.firstPage, [FIRST_SIZE]);
    for (let last = users.at(-1); last; last = users.at(-1)) {
      yield users;
      const bytes = users.reduce((sum, { line }) => sum + (line?.length ?? 0), 0);
      const size = nextSize(users.length, bytes, most);
      users = await this.#query<User>(this.#statements.nextPage, [size, last.id]);
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
    return await this.#query<User>(this.#statements.byIds, [ids]);
  }

  /** Those of `ids` that there are. */
  async existing(ids: readonly string[]): Promise<Set<string>> {
    const select = 'SELECT id::text FROM users WHERE id = ANY($1::uuid[])';
    return new Set((await this.#query<{ id: string }>(select, [ids])).map(({ id }) => id));
  }
}
