import { type Client, types } from 'cassandra-driver';
import { cassandraError, tableOf } from '../lib/cassandra.ts';
import type { Sections } from '../lib/config.ts';
import { FIRST_SIZE, nextSize } from './page-size.ts';
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

  /** All rows, token range by token range, in pages of `most` at most. */
  async *pages(most: number): AsyncGenerator<Row[]> {
    let size = Math.min(FIRST_SIZE, most);
    for (let pageState: string | undefined; ; ) {
      const page = await this.#page(this.#names(), size, pageState);
      const rows = page.rows.map((row) => this.#row(row));
      if (rows.length > 0) yield rows;
      if (!page.pageState) return;
      pageState = page.pageState;
      size = nextSize(size, lengthOf(rows), most);
    }
  }

  async *idPages(size: number): AsyncGenerator<string[]> {
    for (let pageState: string | undefined; ; ) {
      const page = await this.#page('id', size, pageState);
      yield page.rows.map((row) => String(row['id']));
      if (!page.pageState) return;
      pageState = page.pageState;
    }
  }

  /** Those of `ids` that there are, each by a read of its own, all at once. */
  async byIds(ids: readonly string[]): Promise<Row[]> {
    const query = `${this.#select(this.#names())} WHERE id = ?`;
    const reads = ids.map((id) => this.#guarded(this.#client.execute(query, [id], OPTIONS)));
    return (await Promise.all(reads)).flatMap(({ rows }) => rows.map((row) => this.#row(row)));
  }

  #page(names: string, fetchSize: number, pageState: string | undefined) {
    const options = { ...OPTIONS, fetchSize, ...(pageState ? { pageState } : {}) };
    return this.#guarded(this.#client.execute(this.#select(names), [], options));
  }

  #select(names: string): string {
    return `SELECT ${names} FROM ${tableOf(this.#section)}`;
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

function lengthOf(rows: readonly Row[]): number {
  return rows.reduce(
    (sum, { values }) => sum + values.reduce((part, value) => part + (value?.length ?? 0), 0),
    0,
  );
}
