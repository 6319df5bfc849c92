import type { Client } from 'cassandra-driver';
import type { Access } from '../lib/access.ts';
import { cassandraClient, cassandraError, identifier, tableOf } from '../lib/cassandra.ts';
import { COLUMN_TYPES, type Columns } from '../lib/columns.ts';
import type { Sections } from '../lib/config.ts';
import { StageError } from '../lib/health.ts';
import { USER_COLUMNS } from '../lib/user.ts';
import { connected, literal, openManaged } from './roles.ts';
import type { TableColumns } from './schema.ts';

/** `managed` is a ring of ours: its roles are ours to make. On any other the credentials must work as they are. */
export type CassandraWish = Sections['cassandra'] & { managed: boolean };

/** Makes the roles (of a managed ring), the keyspace and the table; a table that is there gets the columns it lacks. */
export async function provisionCassandra(wish: CassandraWish, access: Access): Promise<void> {
  await withClient(wish, access, async (client) => {
    await ensureKeyspace(client, wish);
    await ensureTable(client, wish);
  });
}

/** The columns of the table that is there. */
export function columnsInCassandra(wish: CassandraWish, access: Access): TableColumns {
  return {
    check: (columns) =>
      withClient(wish, access, async (client) => void (await missingColumns(client, wish, columns))),
    add: (columns) => withClient(wish, access, (client) => addColumns(client, wish, columns)),
  };
}

/** Drops the pipeline's table, and the keyspace where no other table is in it; what is gone already is fine. */
export async function dropTable(wish: CassandraWish, access: Access): Promise<void> {
  const { keyspace } = wish;
  await withClient(wish, access, async (client) => {
    await client.execute(`DROP TABLE IF EXISTS ${tableOf(wish)}`);
    const left = 'SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?';
    const { rows } = await client.execute(left, [keyspace]);
    if (rows.length === 0) await client.execute(`DROP KEYSPACE IF EXISTS ${identifier(keyspace)}`);
  });
}

async function withClient(wish: CassandraWish, access: Access, work: (client: Client) => Promise<void>) {
  let client: Client | undefined;
  try {
    client = wish.managed
      ? await openManaged(wish, access)
      : await connected(cassandraClient(wish, access.credentials, access.ca));
    await work(client);
  } catch (error) {
    throw cassandraError(wish, error);
  } finally {
    await client?.shutdown().catch(() => {});
  }
}

async function ensureKeyspace(client: Client, wish: CassandraWish) {
  const { keyspace, localDatacenter, replicationFactor } = wish;
  const { rows } = await client.execute(
    'SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?',
    [keyspace],
  );
  const present = rows[0]?.['replication'] as Record<string, string> | undefined;
  if (present?.[localDatacenter] === String(replicationFactor)) return;
  // Writes need a quorum of the copies: while nodes are still joining, more copies would stop them.
  if (present && client.hosts.length < replicationFactor) throw tooFewNodes(wish, client.hosts.length);
  const verb = present ? 'ALTER KEYSPACE' : 'CREATE KEYSPACE IF NOT EXISTS';
  const map = `{'class': 'NetworkTopologyStrategy', ${literal(localDatacenter)}: ${replicationFactor}}`;
  await client.execute(`${verb} ${identifier(keyspace)} WITH replication = ${map}`);
}

function tooFewNodes({ keyspace, replicationFactor }: CassandraWish, nodes: number): StageError {
  return new StageError(
    'Cassandra',
    'NotEnoughReplicas',
    `keyspace ${keyspace} gets ${replicationFactor} copies when the ring has as many nodes, it has ${nodes}; wait for them, or lower cassandra.replicationFactor`,
  );
}

async function ensureTable(client: Client, wish: CassandraWish): Promise<void> {
  const columns = Object.entries(USER_COLUMNS).map(([name, type]) => definition(name, type));
  await client.execute(
    `CREATE TABLE IF NOT EXISTS ${tableOf(wish)} (${columns.join(', ')}, PRIMARY KEY (id))`,
  );
  await addColumns(client, wish, USER_COLUMNS);
}

async function addColumns(client: Client, wish: CassandraWish, columns: Columns): Promise<void> {
  for (const [name, type] of await missingColumns(client, wish, columns)) {
    await client.execute(`ALTER TABLE ${tableOf(wish)} ADD ${definition(name, type)}`);
  }
}

/** @throws {StageError} ColumnTypeConflict where one that is there has another type */
async function missingColumns(client: Client, wish: CassandraWish, columns: Columns) {
  const { rows } = await client.execute(
    'SELECT column_name, type FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?',
    [wish.keyspace, wish.table],
  );
  const present = new Map(rows.map((row) => [row['column_name'] as string, row['type'] as string]));
  return Object.entries(columns).filter(([name, type]) => {
    const [found, wanted] = [present.get(name), COLUMN_TYPES[type].cassandra];
    if (found !== undefined && found !== wanted)
      throw wrongType(`${wish.keyspace}.${wish.table}.${name}`, found, wanted);
    return found === undefined;
  });
}

const definition = (name: string, type: Columns[string]) => `"${name}" ${COLUMN_TYPES[type].cassandra}`;

function wrongType(column: string, found: string, wanted: string): StageError {
  return new StageError(
    'Cassandra',
    'ColumnTypeConflict',
    `column ${column} is of type ${found}, not ${wanted}, and Cassandra can't change it; give a field another name, or make a new pipeline with another cassandra.table`,
  );
}
