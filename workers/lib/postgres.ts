import { Client, type ClientConfig } from 'pg';
import type { Access } from './access.ts';
import type { Credentials, Sections } from './config.ts';
import { StageError } from './health.ts';

/** The options of a `pg` client for `section`; with `tls` the server's certificate is always verified. */
export function postgresClient(
  section: Sections['postgres'],
  credentials: Credentials | undefined,
  ca?: string,
): ClientConfig {
  return {
    host: section.host,
    port: section.port,
    database: section.database,
    user: credentials?.username,
    password: credentials?.password,
    ssl: section.tls ? { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) } : false,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    application_name: 'userstream',
  };
}

/** Does `work` on a connection of its own. @throws {StageError} */
export async function withClient<T>(
  section: Sections['postgres'],
  { credentials, ca }: Access,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client(postgresClient(section, credentials, ca));
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    throw postgresError(section, error);
  } finally {
    await client.end().catch(() => {});
  }
}

type Advice = { reason: string; next: string };

const UNREACHABLE: Advice = {
  reason: 'PostgresUnreachable',
  next: 'check that the server is up and that its address can be reached from this pod',
};

/** What SQLSTATEs mean for the one who runs the pipeline: the first prefix that fits. */
const ADVICE: [prefix: string, advice: Advice][] = [
  ['28', { reason: 'PostgresAccessDenied', next: 'check the credentials Secret and pg_hba.conf' }],
  ['3D000', { reason: 'PostgresDatabaseMissing', next: 'create the database or correct its name' }],
  [
    '42P01',
    { reason: 'PostgresNotProvisioned', next: 'its tables are made by the provision job: see its logs' },
  ],
  ['42703', { reason: 'ColumnMissing', next: 'the provision job adds its columns, and is run again' }],
  ['55P03', { reason: 'TableLocked', next: 'a long transaction holds it: it is tried again when that ends' }],
  ['42501', { reason: 'PostgresAccessDenied', next: 'grant the role its rights on the pipeline’s tables' }],
  ['53', { reason: 'PostgresOutOfResources', next: 'free disk, memory or connections on the server' }],
  ['25006', { reason: 'PostgresReadOnly', next: 'point the pipeline at the primary' }],
  ['57P', UNREACHABLE],
  ['08', UNREACHABLE],
];

/** The StageError that an error of `pg` amounts to, with what to do about it. */
export function postgresError(section: Sections['postgres'], error: unknown): StageError {
  if (error instanceof StageError) return error;
  const where = `${section.host}:${section.port}/${section.database}`;
  const { message, code } = describe(error);
  const isSqlState = code !== undefined && /^[0-9A-Z]{5}$/.test(code);
  const fallback = isSqlState
    ? { reason: 'PostgresError', next: 'see the server’s log; it is tried again' }
    : UNREACHABLE;
  const advice = ADVICE.find(([prefix]) => isSqlState && code.startsWith(prefix))?.[1] ?? fallback;
  const said = isSqlState ? `${message} (SQLSTATE ${code})` : message;
  return new StageError('Postgres', advice.reason, `Postgres at ${where}: ${said}; ${advice.next}`, {
    cause: error,
  });
}

function describe(error: unknown): { message: string; code: string | undefined } {
  const { message, code, errors } = error as { message?: string; code?: string; errors?: Error[] };
  // A name with several addresses fails with an AggregateError that says nothing itself.
  return { message: message || errors?.map((each) => each.message).join(', ') || String(error), code };
}
