import type { Client } from 'cassandra-driver';
import { cassandraClient, isAuthenticationError } from '../lib/cassandra.ts';
import type { Credentials, Sections } from '../lib/config.ts';
import type { Access } from './postgres.ts';

type Section = Sections['cassandra'];

/** The role that a ring with PasswordAuthenticator begins with: anybody may log in with it. */
const DEFAULT_ROLE: Credentials = { username: 'cassandra', password: 'cassandra' };
const MAX_AUTH_REPLICAS = 3;

/**
 * Logs in to a ring that is ours. On a new one only the default role can: it makes the role of `access` first, which
 * then locks the default one. `system_auth` is replicated as far as the ring has nodes, so that one node less doesn't
 * lock everybody out.
 */
export async function openManaged(section: Section, access: Access): Promise<Client> {
  const { credentials, ca } = access;
  if (!credentials) return connected(cassandraClient(section, undefined, ca));
  const client = await login(section, credentials, ca);
  try {
    await lockDefaultRole(client, credentials);
    if (await replicateRoles(client, section)) await writeRole(client, 'ALTER ROLE', credentials);
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

/** Raises the replication of `system_auth`, never lowers it. @returns whether it did. */
async function replicateRoles(client: Client, section: Section): Promise<boolean> {
  const { rows } = await client.execute(
    `SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = 'system_auth'`,
  );
  const replication = (rows[0]?.['replication'] ?? {}) as Record<string, string>;
  const present = Number(replication[section.localDatacenter] ?? replication['replication_factor'] ?? 1);
  const wanted = Math.min(MAX_AUTH_REPLICAS, section.replicationFactor, client.hosts.length);
  if (wanted <= present) return false;
  const map = `{'class': 'NetworkTopologyStrategy', ${literal(section.localDatacenter)}: ${wanted}}`;
  await client.execute(`ALTER KEYSPACE system_auth WITH replication = ${map}`);
  return true;
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
