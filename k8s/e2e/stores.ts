import { Client } from 'cassandra-driver';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import type { Credentials } from '../../workers/lib/config.ts';
import type { User } from '../../workers/lib/user.ts';
import { USER_COLUMNS } from '../../workers/lib/user.ts';
import { byId, type Users } from './users.ts';

const COLUMNS = Object.keys(USER_COLUMNS);

/** A row as JSON has it: times as ISO text, ids as text. */
function toUser(row: Record<string, unknown>): User {
  const text = (value: unknown) => {
    if (value === null || value === undefined) return null;
    return value instanceof Date ? value.toISOString() : String(value);
  };
  return Object.fromEntries(COLUMNS.map((column) => [column, text(row[column])])) as User;
}

/** All users in Postgres. */
export async function postgresUsers(host: string, { username, password }: Credentials): Promise<Users> {
  const client = new pg.Client({ host, user: username, password, database: 'userstream' });
  await client.connect();
  try {
    const { rows } = await client.query('SELECT * FROM users');
    return byId(rows.map(toUser));
  } finally {
    await client.end();
  }
}

/** All users in Cassandra. */
export async function cassandraUsers(host: string, { username, password }: Credentials): Promise<Users> {
  const client = new Client({
    contactPoints: [host],
    localDataCenter: 'dc1',
    credentials: { username, password },
    queryOptions: { fetchSize: 2000 },
  });
  try {
    const result = await client.execute(`SELECT ${COLUMNS.join(', ')} FROM userstream.users`);
    const users: User[] = [];
    for await (const row of result) users.push(toUser(row as Record<string, unknown>));
    return byId(users);
  } finally {
    await client.shutdown();
  }
}

/** The distinct keys of a topic whose newest record is no tombstone, read from its beginning to its present end. */
export async function kafkaKeys(bootstrapServer: string, topic: string): Promise<Set<string>> {
  const kafka = new Kafka({ brokers: [bootstrapServer], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const left = new Map(
    ends.filter(({ low, high }) => low !== high).map((end) => [end.partition, BigInt(end.high)]),
  );
  const keys = new Set<string>();
  if (left.size === 0) return keys;
  const consumer = kafka.consumer({ groupId: `e2e-${process.pid}-${performance.now()}` });
  const done = Promise.withResolvers<void>();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const key = message.key?.toString() ?? '';
      if (message.value) keys.add(key);
      else keys.delete(key);
      if (BigInt(message.offset) + 1n >= (left.get(partition) ?? 0n)) left.delete(partition);
      if (left.size === 0) done.resolve();
    },
  });
  await done.promise;
  await consumer.disconnect();
  return keys;
}
