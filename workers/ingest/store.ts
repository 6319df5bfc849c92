import type { Pool } from 'pg';
import type { Columns } from '../lib/columns.ts';
import type { User } from '../lib/user.ts';
import type { Claim } from './claims.ts';
import type { Rejected } from './page.ts';
import { type UserStatements, userStatements, usersParameters } from './upsert.ts';

export type Batch = {
  users: User[];
  rejected: Rejected[];
  /** How the source of the rejected users is called. */
  source: string;
};

/** One statement, so one round trip and one transaction. */
const write = ({ next, upsert }: UserStatements, guard: string, refusedGuard = guard) => `
  accepted AS (${upsert(guard)}), refused AS (
    INSERT INTO rejected_users (source, reason, raw)
    SELECT $${next}, reason, bytes
    FROM json_to_recordset($${next + 1}) AS new (reason text, raw text), decode(new.raw, 'base64') AS bytes
    WHERE ${refusedGuard}
  )`;

// Not prepared: a plan from when the table was small reads all of it for each batch.

/** Only he who holds the claim stores the page, and ends the claim; a second writer waits for him, then does nothing. */
const storeClaimed = (statements: UserStatements) => {
  // Behind the source and those who were refused.
  const [sequence, page, owner] = [2, 3, 4].map((place) => `$${statements.next + place}`);
  return `
  WITH claimed AS (
    DELETE FROM ingest_claims WHERE sequence = ${sequence} AND page = ${page} AND owner = ${owner} RETURNING page
  ), ${write(statements, 'EXISTS (SELECT FROM claimed)')}
  SELECT FROM claimed`;
};

const storeUnclaimed = (statements: UserStatements) => `WITH ${write(statements, 'TRUE')} SELECT`;

const missing = ({ next }: UserStatements) =>
  `NOT EXISTS (SELECT FROM rejected_users AS old WHERE old.source = $${next} AND old.raw = bytes)`;

const storeAgain = (statements: UserStatements) =>
  `WITH ${write(statements, 'TRUE', missing(statements))} SELECT`;

/** The users, good and bad, in Postgres. Errors are those of `pg`. */
export class Store {
  readonly #pool: Pool;
  readonly #columns: Columns;
  readonly #store: string;
  readonly #storeAgain: string;
  readonly #storeClaimed: string;

  /** @param columns those of `users` that are written */
  constructor(pool: Pool, columns: Columns) {
    const statements = userStatements(columns);
    this.#pool = pool;
    this.#columns = columns;
    this.#store = storeUnclaimed(statements);
    this.#storeAgain = storeAgain(statements);
    this.#storeClaimed = storeClaimed(statements);
  }

  /** Writes a batch that has no place in a sequence. */
  async write(batch: Batch): Promise<void> {
    await this.#pool.query(this.#store, this.#parameters(batch));
  }

  /**
   * Writes a batch whose first write failed, or only its answer was lost: who was rejected then isn't put there twice.
   * That looks through all that were rejected.
   */
  async writeAgain(batch: Batch): Promise<void> {
    await this.#pool.query(this.#storeAgain, this.#parameters(batch));
  }

  /** Writes the batch that `claim` is for and ends the claim, both or neither; false when another holds it by now. */
  async writeClaimed(batch: Batch, { sequence, page, owner }: Claim): Promise<boolean> {
    const values = [...this.#parameters(batch), sequence, page, owner];
    const result = await this.#pool.query(this.#storeClaimed, values);
    return result.rowCount === 1;
  }

  #parameters({ users, source, rejected }: Batch): (Buffer | string)[] {
    const refused = rejected.map(({ reason, raw }) => ({ reason, raw: raw.toString('base64') }));
    return [...usersParameters(this.#columns, users), source, JSON.stringify(refused)];
  }
}
