import { type Client, types } from 'cassandra-driver';
import type { Access } from '../lib/access.ts';
import { cassandraClient, cassandraError, identifier, tableOf } from '../lib/cassandra.ts';
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
    const columns = await columnsOf(client, section);
    const times = columns.filter(hasWriteTime).map(({ name }) => `WRITETIME(${identifier(name)})`);
    const query = `SELECT ${['id', ...times].join(', ')} FROM ${tableOf(section)} WHERE id = ?`;
    const [row] = (await client.execute(query, [id], CONSISTENT)).rows;
    const literal = columns.some(({ name, type }) => name === 'id' && type === 'uuid') ? id : `'${id}'`;
    return row && `DELETE FROM ${tableOf(section)}${using(row.values().slice(1))} WHERE id = ${literal}`;
  } catch (error) {
    throw cassandraError(section, error);
  } finally {
    await client.shutdown().catch(() => {});
  }
}

type Column = { name: string; kind: string; type: string };

async function columnsOf(client: Client, { keyspace, table }: Section): Promise<Column[]> {
  const query = `SELECT column_name AS name, kind, type FROM system_schema.columns
    WHERE keyspace_name = ? AND table_name = ?`;
  const { rows } = await client.execute(query, [keyspace, table], { prepare: true });
  return rows.map((row) => ({ name: row['name'], kind: row['kind'], type: row['type'] }));
}

/** Whether a column has one timestamp: what is made of several values has one each. */
function hasWriteTime({ kind, type }: Column): boolean {
  return kind === 'regular' && (type in types.dataTypes || type.startsWith('frozen<'));
}

/** A row without a value in any column has no timestamp that could be read. */
function using(times: (types.Long | null)[]): string {
  const [newest] = times.filter((time) => time !== null).sort((one, other) => other.compare(one));
  return newest ? ` USING TIMESTAMP ${newest}` : '';
}
