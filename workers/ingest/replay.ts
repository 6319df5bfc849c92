import type { Pool, PoolClient } from 'pg';
import { columnsOf, type Field, userColumns } from '../lib/columns.ts';
import type { User } from '../lib/user.ts';
import { checkUser, parseJson } from './check.ts';
import { inTransaction } from './transaction.ts';
import { userStatements, usersParameters } from './upsert.ts';

export type Replayed = {
  /** Taken up: they stand in `users` as they were sent. */
  accepted: number;
  /** Good by now, but another version of the user stands there. */
  standing: number;
  /** Still no users. */
  rejected: number;
};

const BATCH = 500;
const STANDING =
  'is valid, but the user stands in users otherwise: replay with --overwrite if this is the newer';

const SELECT = `
  SELECT id, raw FROM rejected_users WHERE id > $1 ORDER BY id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`;
const REMOVE = 'DELETE FROM rejected_users WHERE id = ANY ($1::bigint[])';
const EXPLAIN = `
  UPDATE rejected_users AS old SET reason = new.reason
  FROM unnest($1::bigint[], $2::text[]) AS new (id, reason)
  WHERE old.id = new.id AND old.reason IS DISTINCT FROM new.reason`;

/**
 * Checks every rejected user anew, by the rules of now: who passes moves to `users`, who doesn't keeps his place with the
 * reason of now. A user who stands in `users` otherwise is only replaced with `overwrite`. Errors are those of `pg`; what
 * was done before one stays done.
 */
export async function replayRejected(
  pool: Pool,
  overwrite: boolean,
  fields: readonly Field[],
): Promise<Replayed> {
  const total: Replayed = { accepted: 0, standing: 0, rejected: 0 };
  for (let after = '0'; ; ) {
    const batch = await inTransaction(pool, (client) => replayBatch(client, after, { overwrite, fields }));
    if (!batch) return total;
    after = batch.last;
    for (const key of ['accepted', 'standing', 'rejected'] as const) total[key] += batch[key];
  }
}

type Row = { id: string; raw: Buffer };

type Options = { overwrite: boolean; fields: readonly Field[] };

async function replayBatch(client: PoolClient, after: string, options: Options) {
  const { rows } = await client.query<Row>(SELECT, [after]);
  const last = rows.at(-1)?.id;
  if (last === undefined) return undefined;
  const checked = rows.map(({ id, raw }) => ({ id, ...checkUser(parseJson(raw), options.fields) }));
  const good = checked.filter((each) => 'user' in each);
  const bad = checked.filter((each) => 'reason' in each);
  const written = await write(
    client,
    good.map(({ user }) => user),
    options,
  );
  const accepted = good.filter(({ user }) => written.has(user.id));
  const standing = good
    .filter(({ user }) => !written.has(user.id))
    .map(({ id }) => ({ id, reason: STANDING }));
  const kept = [...bad, ...standing];
  await client.query(REMOVE, [accepted.map(({ id }) => id)]);
  await client.query(EXPLAIN, [kept.map(({ id }) => id), kept.map(({ reason }) => reason)]);
  return { last, accepted: accepted.length, standing: standing.length, rejected: bad.length };
}

/** The ids of those who stand in `users` now as given; of two with one id the last counts. */
async function write(client: PoolClient, users: User[], options: Options): Promise<Set<string>> {
  const columns = userColumns(columnsOf(options.fields));
  const { next, upsert, unchanged } = userStatements(columns);
  const text = `WITH accepted AS (${upsert('TRUE', `$${next}::boolean`)}) SELECT id FROM accepted UNION (${unchanged})`;
  const distinct = [...new Map(users.map((user) => [user.id, user])).values()];
  const { rows } = await client.query<{ id: string }>(text, [
    ...usersParameters(columns, distinct),
    options.overwrite,
  ]);
  return new Set(rows.map(({ id }) => id));
}
