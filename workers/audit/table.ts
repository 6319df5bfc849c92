import { type Client, types } from 'cassandra-driver';
import { cassandraError } from '../lib/cassandra.ts';
import type { Sections } from '../lib/config.ts';
import { type Column, cassandraText, type Row } from './row.ts';

const OPTIONS = { prepare: true, isIdempotent: true, consistency: types.consistencies.localQuorum };

type Section = Sections['cassandra'];

/**
 * The users of Cassandra, as far as they have the columns of the SQL, read as a reader with a local quorum sees them.
 * Every method throws a StageError.
 */
export class Table {
  readonly #client: Client;
  readonly #columns: readonly Column[];
  readonly #section: Section;

  constructor(client: Client, section: Section, columns: readonly Column[]) {
    this.#client = client;
    this.#columns = columns;
    this.#section = section;
  }

  /** All rows, token range by token range, in pages of `limit`. */
  async *pages(limit: number): AsyncGenerator<Row[]> {
    for await (const rows of this.#scan(this.#names(), limit)) yield rows.map((row) => this.#row(row));
  }

  async *idPages(limit: number): AsyncGenerator<string[]> {
    for await (const rows of this.#scan('id', limit)) yield rows.map((row) => String(row['id']));
  }

  /** Those of `ids` that there are, each by a read of its own, all at once. */
  async byIds(ids: readonly string[]): Promise<Row[]> {
    const query = `${this.#select(this.#names())} WHERE id = ?`;
    const reads = ids.map((id) => this.#guarded(this.#client.execute(query, [id], OPTIONS)));
    return (await Promise.all(reads)).flatMap(({ rows }) => rows.map((row) => this.#row(row)));
  }

  async *#scan(names: string, limit: number): AsyncGenerator<types.Row[]> {
    for (let pageState: string | undefined; ; ) {
      const options = { ...OPTIONS, fetchSize: limit, ...(pageState ? { pageState } : {}) };
      const result = await this.#guarded(this.#client.execute(this.#select(names), [], options));
      if (result.rows.length > 0) yield result.rows;
      if (!result.pageState) return;
      pageState = result.pageState;
    }
  }

  #select(names: string): string {
    const { keyspace, table } = this.#section;
    return `SELECT ${names} FROM "${keyspace}"."${table}"`;
  }

  #guarded<T>(work: Promise<T>): Promise<T> {
    return work.catch((error) => {
      throw cassandraError(this.#section, error);
    });
  }

  #names(): string {
    return ['id', ...this.#columns.map(([name]) => name)].map((name) => `"${name}"`).join(', ');
  }

  #row(row: types.Row): Row {
    return { id: String(row['id']), values: this.#columns.map(([name]) => cassandraText(row[name])) };
  }
}
