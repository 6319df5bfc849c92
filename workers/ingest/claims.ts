import type { Pool } from 'pg';

/** One page of one sequence, held by one replica. */
export type Claim = { sequence: string; page: number; owner: string };

/** Longer than a page takes to be fetched (30 s) and stored (60 s). */
const LEASE_MS = 120_000;

const LEASE = `now() + ${LEASE_MS} * interval '1 millisecond'`;

/** The lowest page that is the owner's own (it was restarted, or tries again) or whose owner is gone. */
const TAKE_UP = {
  name: 'take-up',
  text: `
    UPDATE ingest_claims SET owner = $2, expires_at = ${LEASE}
    WHERE (sequence, page) = (
      SELECT sequence, page FROM ingest_claims
      WHERE sequence = $1 AND (owner = $2 OR expires_at <= now())
      ORDER BY page LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING page`,
};

const TAKE_NEXT = {
  name: 'take-next',
  text: `
    WITH taken AS (
      INSERT INTO ingest_state (sequence, next_page) VALUES ($1, 2)
      ON CONFLICT (sequence) DO UPDATE SET next_page = ingest_state.next_page + 1
      RETURNING next_page - 1 AS page)
    INSERT INTO ingest_claims (sequence, page, owner, expires_at)
    SELECT $1, page, $2, ${LEASE} FROM taken
    RETURNING page`,
};

const RELEASE = {
  name: 'release',
  text: `
    UPDATE ingest_claims SET expires_at = '-infinity' WHERE sequence = $1 AND page = $2 AND owner = $3`,
};

/**
 * Who fetches which page of a sequence. A page is claimed before it is fetched and the claim ends in the transaction that
 * stores it (`Store.writeClaimed`), so that every page is either stored, or claimed, or still to come. Errors are those
 * of `pg`.
 */
export class Claims {
  readonly #pool: Pool;
  readonly #sequence: string;
  readonly #owner: string;

  /** `owner` names this replica: no two that run at once have the same. */
  constructor(pool: Pool, sequence: string, owner: string) {
    this.#pool = pool;
    this.#sequence = sequence;
    this.#owner = owner;
  }

  /** Claims the lowest page that nobody else works on. */
  async take(): Promise<Claim> {
    const values = [this.#sequence, this.#owner];
    const old = await this.#pool.query<{ page: string }>({ ...TAKE_UP, values });
    const { rows } = old.rows[0] ? old : await this.#pool.query<{ page: string }>({ ...TAKE_NEXT, values });
    return { sequence: this.#sequence, page: Number(rows[0]?.page), owner: this.#owner };
  }

  /** Gives a page back that could not be stored: it is the next to be taken, by whoever comes first. */
  async release({ sequence, page, owner }: Claim): Promise<void> {
    await this.#pool.query({ ...RELEASE, values: [sequence, page, owner] });
  }
}
