import assert from 'node:assert/strict';
import type { Client } from 'cassandra-driver';
import type { Sections } from '../lib/config.ts';
import { USER_COLUMNS, type UserColumn } from '../lib/user.ts';
import { type AvroUser, toAvroUser } from './avro.ts';

const COLUMNS = Object.keys(USER_COLUMNS) as UserColumn[];

type Until = <T>(what: string, check: () => Promise<T> | T) => Promise<NonNullable<T>>;

/** The users in Cassandra, as the tests look at them. */
export class SinkTable {
  readonly #ring: Client;
  readonly #name: string;
  readonly #until: Until;

  /** @param until how to wait for what the job does */
  constructor(ring: Client, { keyspace, table }: Sections['cassandra'], until: Until) {
    this.#ring = ring;
    this.#name = `${keyspace}.${table}`;
    this.#until = until;
  }

  /** Waits until `user` stands there in every column. */
  async stands(user: AvroUser): Promise<void> {
    let found: AvroUser | undefined;
    const equal = async () => {
      found = await this.#find(user.id);
      return JSON.stringify(found) === JSON.stringify(user);
    };
    await this.#until(`${user.id} to stand in Cassandra`, equal).catch((error) => {
      assert.deepEqual(found, user, error.message);
      throw error;
    });
  }

  /** Waits until nobody stands there under `id`. */
  async isGone(id: string): Promise<void> {
    await this.#until(`${id} to be gone`, async () => !(await this.#find(id)));
  }

  /** The values of a user's `names` columns as Cassandra's driver gives them, once there is one. */
  async values(id: string, names: readonly string[]): Promise<unknown[]> {
    const query = `SELECT ${names.join(', ')} FROM ${this.#name} WHERE id = ?`;
    const find = async () => (await this.#ring.execute(query, [id], { prepare: true })).rows[0];
    const row = await this.#until(`${id} to stand in Cassandra`, find);
    return names.map((name) => row[name.replaceAll('"', '')]);
  }

  /** Empties it behind the job's back. */
  async truncate(): Promise<void> {
    await this.#ring.execute(`TRUNCATE ${this.#name}`);
  }

  async #find(id: string): Promise<AvroUser | undefined> {
    const query = `SELECT ${COLUMNS.join(', ')} FROM ${this.#name} WHERE id = ?`;
    const { rows } = await this.#ring.execute(query, [id], { prepare: true });
    return rows[0] && toAvroUser({ ...rows[0], id: String(rows[0]['id']) });
  }
}
