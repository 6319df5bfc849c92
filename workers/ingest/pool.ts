import pg from 'pg';
import { accessOf } from '../lib/access.ts';
import type { Sections } from '../lib/config.ts';
import type { Logger } from '../lib/logging.ts';
import { postgresClient } from '../lib/postgres.ts';

const QUERY_TIMEOUT_MS = 60_000;
/** A replica whose machine is gone must not hold the budget's lock for as long as TCP believes in it. */
const IDLE_IN_TRANSACTION_MS = 10_000;

/**
 * The one connection to the pipeline's Postgres, as the environment's role; one that breaks is made anew by the next
 * query, which also reports what is wrong.
 */
export function openPool(postgres: Sections['postgres'], env: NodeJS.ProcessEnv, log: Logger): pg.Pool {
  const { credentials, ca } = accessOf(env)('POSTGRES');
  const pool = new pg.Pool({
    ...postgresClient(postgres, credentials, ca),
    max: 1,
    query_timeout: QUERY_TIMEOUT_MS,
    statement_timeout: QUERY_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  });
  pool.on('error', (error) => log.warn({ err: error }, 'the connection to Postgres broke'));
  return pool;
}
