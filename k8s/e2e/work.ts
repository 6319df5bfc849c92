import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { CHECKPOINT_DIRECTORY } from '../../operator/src/specs/config.ts';
import { recordsInHand } from './checkpoint.ts';
import type { Load } from './load.ts';
import { processesOf } from './processes.ts';
import type { World } from './world.ts';

/** What a stage works on and hasn't acknowledged yet: what is lost if its crash loses anything. */
export type Work = {
  /** How much it is now; it takes a millisecond or two to say. */
  left(): Promise<number>;
  close(): Promise<void>;
};

/** The pages that ingest has claimed and not stored. */
export async function claimedPages({ world }: { world: World }): Promise<Work> {
  const client = await world.connectPostgres();
  return counted(client, () => 'SELECT count(*) FROM ingest_claims WHERE expires_at > now()');
}

/** The load's transactions that Kafka has not acknowledged to the relay: they stand in Postgres alone, or on their way. */
export async function unpublished({ world, load }: { world: World; load: Load }): Promise<Work> {
  const client = await world.connectPostgres();
  return counted(
    client,
    () => `SELECT count(*) FROM pg_replication_slots, unnest('{${load.places}}'::pg_lsn[]) AS place
                 WHERE place >= confirmed_flush_lsn`,
  );
}

function counted(client: Client, statement: () => string): Work {
  return {
    left: async () => Number((await client.query(statement())).rows[0].count),
    close: () => client.end().catch(() => {}),
  };
}

/** The records of the batch that the driver has planned, the executors write and Cassandra takes in. */
export async function batchInHand({ world }: { world: World }): Promise<Work> {
  const pods = await world.pods('spark');
  const driver = pods.find(({ metadata }) => metadata?.name === `${world.name}-spark-0`);
  // The pod's own process, and what the kubelet runs there, may see other files than the driver does.
  const checkpoint = () =>
    processesOf(driver?.metadata?.uid ?? '')
      .map((pid) => `/proc/${pid}/root${CHECKPOINT_DIRECTORY}/checkpoint`)
      .find((directory) => existsSync(join(directory, 'commits')));
  const left = async () => {
    const directory = checkpoint();
    return directory ? recordsInHand(directory) : 0;
  };
  return { left, close: async () => {} };
}
