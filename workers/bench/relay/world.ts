import type { Admin } from 'kafkajs';
import pg from 'pg';
import { pino } from 'pino';
import type { Sections } from '../../lib/config.ts';
import { postgresClient } from '../../lib/postgres.ts';
import { subjectClient } from '../../lib/registry.ts';
import { provisionTopics, topicWishes } from '../../provision/kafka.ts';
import { provisionPostgres } from '../../provision/postgres.ts';
import { USER_SCHEMA } from '../../test/avro.ts';
import { startKafka, type TestKafka } from '../../test/kafka.ts';
import { startPostgres, type TestPostgres } from '../../test/postgres.ts';
import { startRegistry } from '../../test/registry.ts';
import { until } from '../../test/wait.ts';

export const PARTITIONS = 3;

/** The servers that all contenders share. */
export type World = {
  postgres: TestPostgres;
  kafka: TestKafka;
  registryUrl: string;
  db: pg.Client;
  admin: Admin;
  stop(): Promise<void>;
};

/** Users as randomuser.me gives them, the same in every run. */
const LOAD = `
  INSERT INTO users
  SELECT md5(n::text)::uuid, 'Brad' || n % 977, 'Gibson' || n % 1009, CASE n % 2 WHEN 0 THEN 'male' ELSE 'female' END,
         n % 9999 || ' New Street, Kilcoole' || n % 499 || ', Waterford, Ireland', (10000 + n % 89999)::text,
         'brad.gibson' || n || '@example.com', 'silverswan' || n,
         timestamptz '1950-01-01' + n * interval '1 hour', timestamptz '2002-05-21' + n * interval '1 minute',
         '011-962-' || 1000 + n % 9000, 'https://randomuser.me/api/portraits/med/men/' || n % 100 || '.jpg', 'IE'
  FROM generate_series(1, $1::int) AS n`;

export async function startWorld(): Promise<World> {
  const [postgres, kafka] = await Promise.all([startPostgres(), startKafka()]);
  const registry = await startRegistry(kafka);
  const db = new pg.Client(postgresClient(postgres.section, postgres.credentials));
  await db.connect();
  const admin = kafka.client.admin();
  await admin.connect();
  return {
    postgres,
    kafka,
    registryUrl: registry.url,
    db,
    admin,
    stop: async () => {
      await Promise.all([db.end(), admin.disconnect()]);
      await registry.stop();
      await Promise.all([kafka.stop(), postgres.stop()]);
    },
  };
}

/** The relay's neighbours, provisioned as in a pipeline; the slot is new, and the table empty. */
export async function provision({ postgres, kafka, registryUrl }: World, topic: string) {
  const sections: Pick<Sections, 'postgres' | 'kafka' | 'schemaRegistry'> = {
    postgres: postgres.section,
    kafka: {
      bootstrapServers: kafka.bootstrapServers,
      tls: false,
      compression: 'none',
      topic,
      deadLetterTopic: `${topic}.dead-letter`,
    },
    schemaRegistry: { url: registryUrl, subject: `${topic}-value` },
  };
  const [nobody, log] = [{ credentials: undefined, ca: undefined }, pino({ enabled: false })];
  const wishes = topicWishes(
    sections.kafka,
    { partitions: PARTITIONS, replicas: 1, config: {}, deadLetterConfig: {} },
    [],
  );
  await provisionTopics(sections.kafka, nobody, log, wishes);
  await subjectClient(sections.schemaRegistry, undefined).register(USER_SCHEMA);
  await provisionPostgres(postgres.section, { credentials: postgres.credentials, ca: undefined });
  return sections;
}

/** Writes `users` users in one transaction. */
export async function load({ db }: World, users: number): Promise<void> {
  await db.query(LOAD, [users]);
}

/** Takes all users away without a WAL record each. */
export async function empty({ db }: World): Promise<void> {
  await db.query('ALTER TABLE users DISABLE TRIGGER USER');
  await db.query('TRUNCATE users');
  await db.query('ALTER TABLE users ENABLE TRIGGER USER');
}

/** How many records the topic has had. */
export async function recordsIn({ admin }: World, topic: string): Promise<number> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}

/** Waits until the topic has had `records` records. */
export async function arrival(world: World, topic: string, records: number): Promise<void> {
  const all = async () => (await recordsIn(world, topic)) >= records;
  await until(`${records} records in ${topic}`, all, 300_000);
}

/** Waits until somebody reads the slot. */
export async function slotInUse({ db }: World, slot: string): Promise<void> {
  await until(`slot ${slot} to be read`, async () => {
    const query = 'SELECT FROM pg_replication_slots WHERE active AND slot_name = $1';
    return (await db.query(query, [slot])).rowCount === 1;
  });
}
