import type { Client } from 'cassandra-driver';
import type { Sections } from '../lib/config.ts';
import { USER_COLUMNS, type UserColumn } from '../lib/user.ts';
import { type AvroUser, toAvroUser } from './avro.ts';

const COLUMNS = Object.keys(USER_COLUMNS) as UserColumn[];

/** The table that the streaming job writes to, as a reader sees it. */
export class SinkTable {
  readonly #ring: Client;
  readonly #name: string;

  constructor(ring: Client, { keyspace, table }: Sections['cassandra']) {
    this.#ring = ring;
    this.#name = `${keyspace}.${table}`;
  }

  /** The user under `id`, in the columns that every user has. */
  async find(id: string): Promise<AvroUser | undefined> {
    const row = await this.row(id, COLUMNS);
    return row && toAvroUser({ ...row, id: String(row['id']) });
  }

  /** Some columns of a user, as Cassandra's driver gives them. */
  async row(id: string, columns: readonly string[]): Promise<Record<string, unknown> | undefined> {
    const query = `SELECT ${columns.join(', ')} FROM ${this.#name} WHERE id = ?`;
    return (await this.#ring.execute(query, [id], { prepare: true })).rows[0];
  }

  /** Empties the table behind the job's back. */
  async truncate(): Promise<void> {
    await this.#ring.execute(`TRUNCATE ${this.#name}`);
  }
}
