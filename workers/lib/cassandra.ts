import { Client, errors } from 'cassandra-driver';
import type { Credentials, Sections } from './config.ts';
import { StageError } from './health.ts';

type CassandraSection = Sections['cassandra'];

/** A Cassandra client for `section`, not connected yet; with `tls` the server's certificate is always verified. */
export function cassandraClient(
  section: CassandraSection,
  credentials: Credentials | undefined,
  ca?: string,
): Client {
  return new Client({
    contactPoints: section.contactPoints,
    localDataCenter: section.localDatacenter,
    protocolOptions: { port: section.port },
    socketOptions: { connectTimeout: 5000, readTimeout: 30_000 },
    ...(credentials ? { credentials } : {}),
    ...(section.tls ? { sslOptions: { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) } } : {}),
  });
}

/** A name in CQL, quoted, for CQL's own words, as `order`, name keyspaces and tables too. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The pipeline's table in CQL. */
export function tableOf({ keyspace, table }: Pick<CassandraSection, 'keyspace' | 'table'>): string {
  return `${identifier(keyspace)}.${identifier(table)}`;
}

/** True where Cassandra was reached and refused the user name or the password. */
export function isAuthenticationError(error: unknown): boolean {
  return innerErrors(error).some(
    (each) => each instanceof errors.AuthenticationError && !lacksReplicas(each),
  );
}

/** A ring that is still growing can't read its roles yet, and says so in the same kind of error. */
const lacksReplicas = (error: Error) => error.message.includes('Cannot achieve consistency level');

/** The StageError that an error of the driver amounts to, with what to do about it. */
export function cassandraError(section: CassandraSection, error: unknown): StageError {
  if (error instanceof StageError) return error;
  const where = `Cassandra at ${section.contactPoints.join(',')}:${section.port}`;
  const inner = innerErrors(error).map((each) => each.message);
  const said = inner.length > 0 ? inner.join('; ') : String((error as Error).message ?? error);
  const [reason, next] = advice(error);
  return new StageError('Cassandra', reason, `${where}: ${said}; ${next}`, { cause: error });
}

function advice(error: unknown): [reason: string, next: string] {
  if (innerErrors(error).some(lacksReplicas)) {
    return ['NotEnoughReplicas', 'it waits for more nodes of the ring'];
  }
  if (isAuthenticationError(error)) {
    return [
      'CassandraAccessDenied',
      'check the credentials Secret (a new ring takes a minute to have its roles); a password that was changed in the Secret alone must be changed back',
    ];
  }
  if (error instanceof errors.NoHostAvailableError || error instanceof errors.OperationTimedOutError) {
    return ['CassandraUnreachable', 'check that a node is up and can be reached from this pod'];
  }
  // The driver's own word for a data centre that no contact point belongs to.
  if (error instanceof errors.ArgumentError) {
    return ['CassandraMisconfigured', 'correct cassandra.localDatacenter or contactPoints'];
  }
  return ['CassandraError', 'see its logs; it is tried again'];
}

function innerErrors(error: unknown): Error[] {
  if (error instanceof errors.NoHostAvailableError)
    return Object.values(error.innerErrors as Record<string, Error>);
  return error instanceof errors.AuthenticationError ? [error] : [];
}
