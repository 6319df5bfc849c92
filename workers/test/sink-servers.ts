import type { Client } from 'cassandra-driver';
import type { Admin, Producer } from 'kafkajs';
import { pino } from 'pino';
import { cassandraClient } from '../lib/cassandra.ts';
import type { Field } from '../lib/columns.ts';
import { subjectClient } from '../lib/registry.ts';
import { columnsInCassandra, provisionCassandra } from '../provision/cassandra.ts';
import { provisionTopics, type TopicWish, topicWishes } from '../provision/kafka.ts';
import { provisionSchema } from '../provision/schema.ts';
import { USER_SCHEMA } from './avro.ts';
import { startCassandra, type TestCassandra } from './cassandra.ts';
import { startKafka, type TestKafka } from './kafka.ts';
import { startRegistry, type TestRegistry } from './registry.ts';
import type { SparkConfig } from './spark.ts';
import { readTopic, type TopicReader } from './topic.ts';

export const NAMES = { topic: 'test.sink.users', deadLetterTopic: 'test.sink.users.dead-letter' };
const NOBODY = { credentials: undefined, ca: undefined };
export const ROLE = { username: 'cassandra', password: 'cassandra' };

export type Servers = { kafka: TestKafka; registry: TestRegistry; cassandra: TestCassandra };
export type Clients = { ring: Client; admin: Admin; producer: Producer; deadLetters: TopicReader };

/** Starts what stands around the streaming job, and makes topics and table. */
export async function startServers(): Promise<Servers> {
  const [kafka, cassandra] = await Promise.all([startKafka(), startCassandra()]);
  const servers = { kafka, cassandra, registry: await startRegistry(kafka) };
  await makeTopics(servers);
  await provisionCassandra({ ...cassandra.section, managed: false }, { credentials: ROLE, ca: undefined });
  return servers;
}

/** Makes those of the job's topics that are missing. */
export async function makeTopics(servers: Servers): Promise<void> {
  const section = sectionsOf(servers).kafka;
  const topics = { partitions: 2, replicas: 1, config: {}, deadLetterConfig: {} };
  const wishes = topicWishes(section, topics, []).map(withKafkasLimit);
  await provisionTopics(section, NOBODY, pino({ enabled: false }), wishes);
}

export async function stopServers({ kafka, registry, cassandra }: Servers): Promise<void> {
  await Promise.all([registry.stop(), cassandra.stop()]);
  await kafka.stop();
}

/** Registers the schema of users without fields of one's own. @returns its id */
export function registerSchema(servers: Servers): Promise<number> {
  return subjectClient(sectionsOf(servers).schemaRegistry, undefined).register(USER_SCHEMA);
}

/** What provision does where these are the pipeline's `fields`. @returns the new schema's id */
export async function provisionFields(servers: Servers, fields: readonly Field[]): Promise<number> {
  const subject = subjectClient(sectionsOf(servers).schemaRegistry, undefined);
  const wish = { ...servers.cassandra.section, managed: false };
  await provisionSchema(subject, fields, [columnsInCassandra(wish, { credentials: ROLE, ca: undefined })]);
  return (await subject.latest()).id;
}

/** Clients of the tests' own. */
export async function connect({ kafka, cassandra }: Servers): Promise<Clients> {
  const ring = cassandraClient(cassandra.section, ROLE);
  const admin = kafka.client.admin();
  const producer = kafka.client.producer();
  await Promise.all([ring.connect(), admin.connect(), producer.connect()]);
  return { ring, admin, producer, deadLetters: await readTopic(kafka.client, NAMES.deadLetterTopic) };
}

export async function disconnect({ ring, admin, producer, deadLetters }: Clients): Promise<void> {
  await Promise.all([ring.shutdown(), admin.disconnect(), producer.disconnect(), deadLetters.stop()]);
}

/** What the job's config.json says of them. */
export function sectionsOf({ kafka, registry, cassandra }: Servers): Omit<SparkConfig, 'spark'> {
  return {
    pipeline: { namespace: 'test', name: 'sink' },
    kafka: { bootstrapServers: kafka.bootstrapServers, tls: false, compression: 'gzip', ...NAMES },
    schemaRegistry: { url: registry.url, subject: `${NAMES.topic}-value` },
    cassandra: cassandra.section,
  };
}

/** What is too large for a topic is to be small enough for a test. */
function withKafkasLimit(wish: TopicWish): TopicWish {
  return { ...wish, config: { ...wish.config, 'max.message.bytes': '1048588' } };
}
