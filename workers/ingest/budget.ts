import type { Pool, PoolClient } from 'pg';
import { inTransaction } from './transaction.ts';

export type Limit = { users: number; perMs: number };

/** Users that a request under way may ask for; the moment to which they are booked until it is settled. */
export type Reservation = { users: number; at: string };

/** Longer than a request may take: what is booked by one who dies comes back that much later than it might. */
const REQUEST_MS = 35_000;
/** What is spent is booked in steps of the period's thousandth: the table stays that short. */
const STEPS = 1000;

const moment = (ms: string) => `statement_timestamp() + ${ms} * interval '1 millisecond'`;
/** Rounded up, so that nothing comes back too early. */
const booked = (time: string, step: string) =>
  `date_bin(${step} * interval '1 millisecond', ${time}, 'epoch') + ${step} * interval '1 millisecond'`;
const ADD = 'ON CONFLICT (source, at) DO UPDATE SET users = ingest_spent.users + excluded.users';

/**
 * Counted from the newest, the first that leaves no room for `$2` more must come back. One under way ($5: for how long it
 * may be) comes back a period after now at the earliest.
 */
const RESERVE = {
  name: 'reserve',
  text: `
    WITH recent AS (
      SELECT at, sum(users) OVER (ORDER BY at DESC) AS total FROM ingest_spent
      WHERE source = $1 AND at > ${moment('-$4::bigint')}
    ), wait AS (
      SELECT max(least(at, statement_timestamp())) + $4::bigint * interval '1 millisecond' AS until
      FROM recent WHERE total + $2 > $3
    ), gone AS (
      DELETE FROM ingest_spent WHERE source = $1 AND at <= ${moment('-$4::bigint')}
    ), taken AS (
      INSERT INTO ingest_spent (source, at, users)
      SELECT $1, ${booked(moment('$5::bigint'), '$6::bigint')}, $2 FROM wait WHERE until IS NULL
      ${ADD} RETURNING at
    )
    SELECT (SELECT at::text FROM taken) AS at,
           ceil(extract(epoch FROM until - statement_timestamp()) * 1000)::float8 AS wait_ms
    FROM wait`,
};

const SETTLE = {
  name: 'settle',
  text: `
    WITH reserved AS (UPDATE ingest_spent SET users = users - $3 WHERE source = $1 AND at = $2)
    INSERT INTO ingest_spent (source, at, users)
    VALUES ($1, ${booked('statement_timestamp()', '$4::bigint')}, $3) ${ADD}`,
};

const EXHAUST = {
  name: 'exhaust',
  text: `
    INSERT INTO ingest_spent (source, at, users) VALUES ($1, ${booked(moment('$2::bigint'), '$4::bigint')}, $3) ${ADD}`,
};

/**
 * The source's budget, kept in Postgres by its clock, so that all replicas draw on one and none forgets it: a token comes
 * back one period after its request was answered. So no span of that length, wherever it begins, holds more than the
 * budget (a bucket refilled evenly would let twice as much through in its first span). Errors are those of `pg`.
 */
export class Budget {
  readonly #pool: Pool;
  readonly #source: string;
  readonly #limit: Limit;
  readonly #stepMs: number;

  constructor(pool: Pool, source: string, limit: Limit) {
    this.#pool = pool;
    this.#source = source;
    this.#limit = limit;
    this.#stepMs = Math.ceil(limit.perMs / STEPS);
  }

  /** Takes `users` out of the budget, or says how long to wait before asking again. */
  async reserve(users: number): Promise<Reservation | { waitMs: number }> {
    return await inTransaction(this.#pool, (client) => this.#reserveAlone(client, users));
  }

  /** Only one at a time: two could take the same users. */
  async #reserveAlone(client: PoolClient, users: number): Promise<Reservation | { waitMs: number }> {
    const { users: budget, perMs } = this.#limit;
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [this.#source]);
    const { rows } = await client.query<{ at: string | null; wait_ms: number }>({
      ...RESERVE,
      values: [this.#source, users, budget, perMs, REQUEST_MS, this.#stepMs],
    });
    const [{ at, wait_ms: waitMs } = { at: null, wait_ms: perMs }] = rows;
    return at === null ? { waitMs } : { users, at };
  }

  /** Books what was reserved to now, when its request has been answered: the source counted it before that. */
  async settle({ users, at }: Reservation): Promise<void> {
    await this.#pool.query({ ...SETTLE, values: [this.#source, at, users, this.#stepMs] });
  }

  /** Lets nobody ask for `ms` from now, as the source itself said. */
  async exhaust(ms: number): Promise<void> {
    const { users, perMs } = this.#limit;
    await this.#pool.query({ ...EXHAUST, values: [this.#source, ms - perMs, users, this.#stepMs] });
  }
}
