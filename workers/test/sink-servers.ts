import type { Client } from 'cassandra-driver';
import type { Admin, Producer } from 'kafkajs';
import { pino } from 'pino';
import { cassandraClient } from '../lib/cassandra.ts';
import type { Sections } from '../lib/config.ts';
import { subjectClient } from '../lib/registry.ts';
import { provisionCassandra } from '../provision/cassandra.ts';
import { provisionTopics, type TopicWish, topicWishes } from '../provision/kafka.ts';
import { USER_SCHEMA } from './avro.ts';
import { startCassandra } from './cassandra.ts';
import { startKafka } from './kafka.ts';
import { startRegistry } from './registry.ts';
import { readTopic, type TopicReader } from './topic.ts';

export const NAMES = { topic: 'test.sink.users', deadLetterTopic: 'test.sink.users.dead-letter' };
export const ROLE = { username: 'cassandra', password: 'cassandra' };
const NOBODY = { credentials: undefined, ca: undefined };

/** What the streaming job reads from and writes to, and clients of it. */
export type SinkServers = {
  sections: Pick<Sections, 'kafka' | 'schemaRegistry' | 'cassandra'>;
  schemaId: number;
  ring: Client;
  admin: Admin;
  producer: Producer;
  deadLetters: TopicReader;
  stop(): Promise<void>;
};

/** Starts real servers, and provisions them as the provision job does. */
export async function startSinkServers(): Promise<SinkServers> {
  const [kafka, cassandra] = await Promise.all([startKafka(), startCassandra()]);
  const registry = await startRegistry(kafka);
  const { bootstrapServers } = kafka;
  const sections: SinkServers['sections'] = {
    kafka: { bootstrapServers, tls: false, compression: 'gzip', ...NAMES },
    schemaRegistry: { url: registry.url, subject: `${NAMES.topic}-value` },
    cassandra: cassandra.section,
  };
  await makeTopics(sections.kafka);
  const schemaId = await subjectClient(sections.schemaRegistry, undefined).register(USER_SCHEMA);
  await provisionCassandra({ ...cassandra.section, managed: false }, { credentials: ROLE, ca: undefined });
  const ring = cassandraClient(cassandra.section, ROLE);
  const [admin, producer] = [kafka.client.admin(), kafka.client.producer()];
  await Promise.all([ring.connect(), admin.connect(), producer.connect()]);
  const deadLetters = await readTopic(kafka.client, NAMES.deadLetterTopic);
  const stop = async () => {
    await Promise.all([ring.shutdown(), admin.disconnect(), producer.disconnect(), deadLetters.stop()]);
    await Promise.all([registry.stop(), cassandra.stop()]);
    await kafka.stop();
  };
  return { sections, schemaId, ring, admin, producer, deadLetters, stop };
}

/** Makes those of the job's topics that are missing. */
export async function makeTopics(kafka: Sections['kafka']): Promise<void> {
  const wishes = topicWishes(kafka, { partitions: 2, replicas: 1, config: {} }, []).map(withKafkasLimit);
  await provisionTopics(kafka, NOBODY, pino({ enabled: false }), wishes);
}

/** What is too large for a topic is to be small enough for a test. */
function withKafkasLimit(wish: TopicWish): TopicWish {
  return { ...wish, config: { ...wish.config, 'max.message.bytes': '1048588' } };
}
