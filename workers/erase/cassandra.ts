import { type Client, types } from 'cassandra-driver';
import type { Access } from '../lib/access.ts';
import { cassandraClient, cassandraError, tableOf } from '../lib/cassandra.ts';
import type { Sections } from '../lib/config.ts';

type Section = Sections['cassandra'];

const CONSISTENT = { prepare: true, consistency: types.consistencies.localQuorum };

/**
 * The statement that deletes the user's row, which a reader with a local quorum finds; undefined where there is none. It
 * carries the row's own timestamp: from the seventh epoch on the stream's are above the time of day.
 */
export async function deletionOf(
  section: Section,
  { credentials, ca }: Access,
  id: string,
): Promise<string | undefined> {
  const client = cassandraClient(section, credentials, ca);
  try {
    await client.connect();
    const times = (await columnsOf(client, section)).map((name) => `WRITETIME("${name}")`);
    const query = `SELECT ${['id', ...times].join(', ')} FROM ${tableOf(section)} WHERE id = ?`;
    const [row] = (await client.execute(query, [id], CONSISTENT)).rows;
    return (
      row &&
      `DELETE FROM ${section.keyspace}.${section.table}${using(row.values().slice(1))} WHERE id = ${id}`
    );
  } catch (error) {
    throw cassandraError(section, error);
  } finally {
    await client.shutdown().catch(() => {});
  }
}

/** Those that have a timestamp each. */
async function columnsOf(client: Client, { keyspace, table }: Section): Promise<string[]> {
  const query =
    'SELECT column_name, kind FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?';
  const { rows } = await client.execute(query, [keyspace, table], { prepare: true });
  return rows.filter(({ kind }) => kind === 'regular').map((row) => row['column_name'] as string);
}

/** A row without a value in any column has no timestamp that could be read. */
function using(times: (types.Long | null)[]): string {
  const [newest] = times.filter((time) => time !== null).sort((one, other) => other.compare(one));
  return newest ? ` USING TIMESTAMP ${newest}` : '';
}
