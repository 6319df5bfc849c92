import { Client } from 'pg';
import type { Access } from '../lib/access.ts';
import type { Sections } from '../lib/config.ts';
import type { Logger } from '../lib/logging.ts';
import { postgresClient, postgresError } from '../lib/postgres.ts';
import type { Query } from '../lib/wal.ts';

const STATEMENT_TIMEOUT_MS = 60_000;

/** A connection that can only read; `close` never fails. @throws {StageError} */
export async function connectPostgres(
  section: Sections['postgres'],
  { credentials, ca }: Access,
  log: Logger,
) {
  const client = new Client({
    ...postgresClient(section, credentials, ca),
    application_name: 'userstream-audit',
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS,
    // A net below the rights of the role, which on an existing server may be one that writes.
    options: '-c default_transaction_read_only=on',
  });
  client.on('error', (error) => log.debug({ err: error }, 'the connection to Postgres broke'));
  const guarded = <T>(work: Promise<T>) =>
    work.catch((error) => {
      throw postgresError(section, error);
    });
  await guarded(client.connect());
  const query: Query = async (text, parameters = []) =>
    (await guarded(client.query({ text, values: [...parameters] }))).rows;
  return { query, close: () => client.end().catch(() => {}) };
}
