import { types } from 'cassandra-driver';
import type { Access } from '../lib/access.ts';
import { cassandraClient, cassandraError } from '../lib/cassandra.ts';
import type { Sections } from '../lib/config.ts';

type Section = Sections['cassandra'];

/** Whether a reader with a local quorum finds the user. */
export async function stands(section: Section, { credentials, ca }: Access, id: string): Promise<boolean> {
  const client = cassandraClient(section, credentials, ca);
  const query = `SELECT id FROM "${section.keyspace}"."${section.table}" WHERE id = ?`;
  try {
    await client.connect();
    const options = { prepare: true, consistency: types.consistencies.localQuorum };
    return (await client.execute(query, [id], options)).rows.length > 0;
  } catch (error) {
    throw cassandraError(section, error);
  } finally {
    await client.shutdown().catch(() => {});
  }
}
