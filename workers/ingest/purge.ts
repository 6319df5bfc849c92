import type { Pool } from 'pg';

/** As long as a dead letter is kept at most, by its topic's settings (operator/src/specs/kafka-connection.ts). */
export const KEPT_DAYS = 31;
const INTERVAL_MS = 60 * 60_000;
/** They are looked at from the oldest on, by the primary key: the table may be long, and most of it has time left. */
const BATCH = 1000;

const DELETE_OLDEST = `
  DELETE FROM rejected_users
  WHERE id IN (SELECT id FROM rejected_users ORDER BY id LIMIT ${BATCH})
    AND received_at < now() - interval '${KEPT_DAYS} days'`;

/** Deletes the rejected users whose time is over, whether they were replayed or not. Errors are those of `pg`. */
export class Purge {
  readonly #pool: Pool;
  readonly #now: () => number;
  #due = 0;

  constructor(pool: Pool, now: () => number) {
    this.#pool = pool;
    this.#now = now;
  }

  /** Deletes them where that is due, an hour after the last time; says how many went. */
  async run(): Promise<number> {
    if (this.#now() < this.#due) return 0;
    this.#due = this.#now() + INTERVAL_MS;
    for (let count = 0; ; ) {
      const { rowCount } = await this.#pool.query(DELETE_OLDEST);
      count += rowCount ?? 0;
      if (rowCount !== BATCH) return count;
    }
  }
}
