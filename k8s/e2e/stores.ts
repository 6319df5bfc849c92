import { Client, type types } from 'cassandra-driver';
import kafkajs from 'kafkajs';
import pg from 'pg';
import type { Credentials } from '../../workers/lib/config.ts';
import type { User } from '../../workers/lib/user.ts';
import { USER_COLUMNS } from '../../workers/lib/user.ts';
import { until } from '../../workers/test/wait.ts';
import { byId, type Users } from './users.ts';

const { ConfigResourceTypes, Kafka, logLevel } = kafkajs;

const COLUMNS = Object.keys(USER_COLUMNS);

/** A row as JSON has it: times as ISO text, ids as text. */
function toUser(row: Record<string, unknown>): User {
  const text = (value: unknown) => {
    if (value === null || value === undefined) return null;
    return value instanceof Date ? value.toISOString() : String(value);
  };
  return Object.fromEntries(COLUMNS.map((column) => [column, text(row[column])])) as User;
}

/** A connection to the pipeline's Postgres; one that breaks says so with the next query. */
export async function connectPostgres(host: string, { username, password }: Credentials): Promise<pg.Client> {
  const client = new pg.Client({ host, user: username, password, database: 'userstream' });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Runs statements in the pipeline's Postgres and answers the rows of all of them. */
export async function postgresQuery(
  host: string,
  credentials: Credentials,
  statements: string,
): Promise<Record<string, unknown>[]> {
  const client = await connectPostgres(host, credentials);
  try {
    // Of several statements there are several results.
    return [await client.query(statements)].flat().flatMap(({ rows }) => rows);
  } finally {
    await client.end();
  }
}

/** All users in Postgres, as `sql` makes them; what it leaves out is null. */
export async function postgresUsers(
  host: string,
  credentials: Credentials,
  sql = 'SELECT * FROM users',
): Promise<Users> {
  return byId((await postgresQuery(host, credentials, sql)).map(toUser));
}

/** Runs one query in the pipeline's Cassandra and answers all its rows. */
export async function cassandraQuery(
  host: string,
  { username, password }: Credentials,
  query: string,
): Promise<Record<string, unknown>[]> {
  const client = new Client({
    contactPoints: [host],
    localDataCenter: 'dc1',
    credentials: { username, password },
    queryOptions: { fetchSize: 2000 },
  });
  try {
    const rows: Record<string, unknown>[] = [];
    for await (const row of await client.execute(query)) {
      rows.push(
        Object.fromEntries((row as types.Row).keys().map((name) => [name, (row as types.Row).get(name)])),
      );
    }
    return rows;
  } finally {
    await client.shutdown();
  }
}

/** All users in Cassandra. */
export async function cassandraUsers(host: string, credentials: Credentials): Promise<Users> {
  const query = `SELECT ${COLUMNS.join(', ')} FROM userstream.users`;
  return byId((await cassandraQuery(host, credentials, query)).map(toUser));
}

const kafkaAt = (bootstrapServer: string) =>
  new Kafka({ brokers: [bootstrapServer], logLevel: logLevel.NOTHING });

/** The names of all topics. */
export async function kafkaTopics(bootstrapServer: string): Promise<string[]> {
  const admin = kafkaAt(bootstrapServer).admin();
  await admin.connect();
  try {
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

/** A topic's number of partitions, and its settings. */
export async function kafkaTopic(
  bootstrapServer: string,
  topic: string,
): Promise<{ partitions: number; config: Record<string, string> }> {
  const admin = kafkaAt(bootstrapServer).admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic }];
    const described = await admin.describeConfigs({ includeSynonyms: false, resources });
    const entries = described.resources.flatMap(({ configEntries }) => configEntries);
    return {
      partitions: topics[0]?.partitions.length ?? 0,
      config: Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue])),
    };
  } finally {
    await admin.disconnect();
  }
}

/** Where each partition of a topic that isn't empty ends now. */
async function ends(bootstrapServer: string, topic: string): Promise<Map<number, bigint>> {
  const admin = kafkaAt(bootstrapServer).admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    const filled = offsets.filter(({ low, high }) => low !== high);
    return new Map(filled.map(({ partition, high }) => [partition, BigInt(high)]));
  } finally {
    await admin.disconnect();
  }
}

const READ_MS = 60_000;

/**
 * The distinct keys of a topic whose newest record is a user's, read from its beginning to its present end: no tombstone,
 * and none of the records that end an epoch.
 * @throws after a minute, naming the partitions whose end did not come
 */
export async function kafkaKeys(bootstrapServer: string, topic: string): Promise<Set<string>> {
  const left = await ends(bootstrapServer, topic);
  const keys = new Set<string>();
  if (left.size === 0) return keys;
  const consumer = kafkaAt(bootstrapServer).consumer({ groupId: `e2e-${process.pid}-${performance.now()}` });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        const key = message.key?.toString() ?? '';
        if (message.value && !message.headers?.['epoch-end']) keys.add(key);
        else keys.delete(key);
        if (BigInt(message.offset) + 1n >= (left.get(partition) ?? 0n)) left.delete(partition);
      },
    });
    await until(`the ends of ${topic}, partitions ${[...left.keys()]}`, () => left.size === 0, READ_MS);
    return keys;
  } finally {
    await consumer.disconnect();
  }
}
