import type { Access } from '../lib/access.ts';
import { cassandraError, identifier, tableOf } from '../lib/cassandra.ts';
import type { Credentials, Sections } from '../lib/config.ts';
import { withClient } from '../lib/postgres.ts';
import type { CassandraWish } from './cassandra.ts';
import { literal, openManaged } from './roles.ts';

/** Lets the audit's role, which a managed server makes when it starts, read the users table and nothing else. */
export async function grantPostgres(
  section: Sections['postgres'],
  access: Access,
  { username }: Credentials,
): Promise<void> {
  await withClient(section, access, async (client) => {
    await client.query(`GRANT SELECT ON users TO ${client.escapeIdentifier(username)}`);
  });
}

/** Makes the audit's role in a managed ring, with the password that its Secret holds now; it may read the table. */
export async function grantCassandra(
  wish: CassandraWish,
  access: Access,
  { username, password }: Credentials,
): Promise<void> {
  const role = identifier(username);
  const login = `WITH PASSWORD = ${literal(password)} AND LOGIN = true`;
  try {
    const client = await openManaged(wish, access);
    try {
      await client.execute(`CREATE ROLE IF NOT EXISTS ${role} ${login}`);
      await client.execute(`ALTER ROLE ${role} ${login}`);
      await client.execute(`GRANT SELECT ON TABLE ${tableOf(wish)} TO ${role}`);
    } finally {
      await client.shutdown();
    }
  } catch (error) {
    throw cassandraError(wish, error);
  }
}
