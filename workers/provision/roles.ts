import type { Client } from 'cassandra-driver';
import type { Access } from '../lib/access.ts';
import { cassandraClient, identifier, isAuthenticationError } from '../lib/cassandra.ts';
import type { Credentials, Sections } from '../lib/config.ts';

type Section = Sections['cassandra'];

/** The role that a ring with PasswordAuthenticator begins with: anybody may log in with it. */
const DEFAULT_ROLE: Credentials = { username: 'cassandra', password: 'cassandra' };
const MAX_SYSTEM_REPLICAS = 3;

/** Cassandra's own keyspaces that are replicated, besides that of the roles. A node can't leave a ring too small for them. */
const OTHER_SYSTEM_KEYSPACES = ['system_distributed', 'system_traces'];

/**
 * Logs in to a ring that is ours. On a new one only the default role can: it makes the role of `access` first, which
 * then locks the default one. Cassandra's own keyspaces are replicated as the users are, as far as the ring has nodes,
 * so that one node less doesn't lock everybody out.
 */
export async function openManaged(section: Section, access: Access): Promise<Client> {
  const { credentials, ca } = access;
  if (!credentials) return connected(cassandraClient(section, undefined, ca));
  const client = await login(section, credentials, ca);
  try {
    await lockDefaultRole(client, credentials);
    if (await replicateRoles(client, section)) await rewriteRole(client, credentials);
    for (const keyspace of OTHER_SYSTEM_KEYSPACES) await replicate(client, section, keyspace);
    return client;
  } catch (error) {
    await client.shutdown();
    throw error;
  }
}

export async function connected(client: Client): Promise<Client> {
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.shutdown().catch(() => {});
    throw error;
  }
}

async function login(section: Section, credentials: Credentials, ca: string | undefined): Promise<Client> {
  try {
    return await connected(cassandraClient(section, credentials, ca));
  } catch (refused) {
    if (!isAuthenticationError(refused)) throw refused;
    return await bootstrap(section, credentials, ca).catch((error) => {
      // With the default role locked it is no new ring: the password that is wrong is ours.
      throw isAuthenticationError(error) ? refused : error;
    });
  }
}

async function bootstrap(
  section: Section,
  credentials: Credentials,
  ca: string | undefined,
): Promise<Client> {
  const first = await connected(cassandraClient(section, DEFAULT_ROLE, ca));
  try {
    // First the replication: what is written after it reaches every replica.
    await replicateRoles(first, section);
    await writeRole(first, 'CREATE ROLE IF NOT EXISTS', credentials);
    await writeRole(first, 'ALTER ROLE', credentials);
  } finally {
    await first.shutdown();
  }
  return connected(cassandraClient(section, credentials, ca));
}

async function writeRole(client: Client, verb: string, { username, password }: Credentials): Promise<void> {
  await client.execute(
    `${verb} ${identifier(username)} WITH PASSWORD = ${literal(password)} AND SUPERUSER = true AND LOGIN = true`,
  );
}

/** Writes the role to replicas that are new. Nobody may say of himself that he is a superuser: the repair copies that. */
async function rewriteRole(client: Client, { username, password }: Credentials): Promise<void> {
  await client.execute(
    `ALTER ROLE ${identifier(username)} WITH PASSWORD = ${literal(password)} AND LOGIN = true`,
  );
}

async function lockDefaultRole(client: Client, { username }: Credentials): Promise<void> {
  if (username === DEFAULT_ROLE.username) return;
  const { rows } = await client.execute('SELECT can_login FROM system_auth.roles WHERE role = ?', [
    DEFAULT_ROLE.username,
  ]);
  if (rows[0]?.['can_login'] !== true) return;
  await client.execute(
    `ALTER ROLE ${identifier(DEFAULT_ROLE.username)} WITH SUPERUSER = false AND LOGIN = false`,
  );
}

const replicateRoles = (client: Client, section: Section) => replicate(client, section, 'system_auth');

/**
 * Replicates one of Cassandra's own keyspaces as far as the users, more copies only as far as the ring has nodes.
 * @returns whether it has more copies now
 */
async function replicate(client: Client, section: Section, keyspace: string): Promise<boolean> {
  const { rows } = await client.execute(
    'SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?',
    [keyspace],
  );
  const replication = (rows[0]?.['replication'] ?? {}) as Record<string, string>;
  const present = Number(replication[section.localDatacenter] ?? replication['replication_factor'] ?? 1);
  const most = Math.min(MAX_SYSTEM_REPLICAS, section.replicationFactor);
  const wanted = most > present ? Math.max(present, Math.min(most, client.hosts.length)) : most;
  if (wanted === present) return false;
  const map = `{'class': 'NetworkTopologyStrategy', ${literal(section.localDatacenter)}: ${wanted}}`;
  await client.execute(`ALTER KEYSPACE ${keyspace} WITH replication = ${map}`);
  return wanted > present;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
