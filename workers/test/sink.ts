import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'cassandra-driver';
import type { Admin, Message, Producer } from 'kafkajs';
import { pino } from 'pino';
import { cassandraClient } from '../lib/cassandra.ts';
import type { Field } from '../lib/columns.ts';
import type { Sections } from '../lib/config.ts';
import type { EndOffsets } from '../lib/kafka.ts';
import { ConfigResourceTypes } from '../lib/kafkajs.ts';
import { subjectClient } from '../lib/registry.ts';
import { USER_COLUMNS, type UserColumn } from '../lib/user.ts';
import { columnsInCassandra, provisionCassandra } from '../provision/cassandra.ts';
import { provisionTopics, type TopicWish, topicWishes } from '../provision/kafka.ts';
import { provisionSchema } from '../provision/schema.ts';
import { epochEnd, type Span } from '../relay/records.ts';
import { type AvroUser, encode, toAvroUser, USER_SCHEMA } from './avro.ts';
import { startCassandra, type TestCassandra } from './cassandra.ts';
import { type TemporaryDirectory, temporaryDirectory } from './directory.ts';
import { startKafka, type TestKafka } from './kafka.ts';
import { startRegistry, type TestRegistry } from './registry.ts';
import { type ReplayFrom, type SparkConfig, type SparkProcess, startSpark } from './spark.ts';
import { readTopic, type TopicReader, type TopicRecord } from './topic.ts';
import { until } from './wait.ts';

const NAMES = { topic: 'test.sink.users', deadLetterTopic: 'test.sink.users.dead-letter' };
const NOBODY = { credentials: undefined, ca: undefined };
const ROLE = { username: 'cassandra', password: 'cassandra' };
const COLUMNS = Object.keys(USER_COLUMNS) as UserColumn[];
/** Spark has to start, on whatever machine, and to wait a minute for a schema that never comes. */
const PATIENCE_MS = 150_000;

/** What is published: a user under a version, or that the user with an id is gone. */
export type Publication = { version: bigint; committedAt?: number } & ({ user: AvroUser } | { id: string });

/** A user with these fields, all others empty. */
export function user(fields: Partial<AvroUser>): AvroUser {
  return toAvroUser({ id: randomUUID(), ...fields });
}

export type SinkBenchOptions = { sql: string; maxOffsetsPerTrigger?: number };

type Start = { replayFrom?: ReplayFrom | undefined; cores?: number; fresh?: boolean };

type Servers = { kafka: TestKafka; registry: TestRegistry; cassandra: TestCassandra };
type Clients = { ring: Client; admin: Admin; producer: Producer; deadLetters: TopicReader };

/** Real servers around the streaming job, provisioned; users are published to it as the relay does. */
export class SinkBench {
  readonly topic = NAMES.topic;
  readonly deadLetterTopic = NAMES.deadLetterTopic;
  readonly schemaId: number;
  readonly #servers: Servers;
  readonly #clients: Clients;
  readonly #checkpoint: TemporaryDirectory;
  readonly #sql: string;
  readonly #maxOffsetsPerTrigger: number;
  #generation = 0;
  #spark: SparkProcess | undefined;

  private constructor(
    servers: Servers,
    clients: Clients,
    checkpoint: TemporaryDirectory,
    schemaId: number,
    { sql, maxOffsetsPerTrigger = 20_000 }: SinkBenchOptions,
  ) {
    this.#servers = servers;
    this.#clients = clients;
    this.#checkpoint = checkpoint;
    this.schemaId = schemaId;
    this.#sql = sql;
    this.#maxOffsetsPerTrigger = maxOffsetsPerTrigger;
  }

  /** Starts and provisions all but Spark. */
  static async start(options: SinkBenchOptions): Promise<SinkBench> {
    const [kafka, cassandra] = await Promise.all([startKafka(), startCassandra()]);
    const servers = { kafka, cassandra, registry: await startRegistry(kafka) };
    const section = kafkaSection(kafka);
    const topics = { partitions: 2, replicas: 1, config: {} };
    const wishes = topicWishes(section, topics, []).map(withKafkasLimit);
    await provisionTopics(section, NOBODY, pino({ enabled: false }), wishes);
    const schemaId = await subjectClient(registrySection(servers.registry), undefined).register(USER_SCHEMA);
    const access = { credentials: ROLE, ca: undefined };
    await provisionCassandra({ ...cassandra.section, managed: false }, access);
    const clients = await connect(servers);
    return new SinkBench(servers, clients, await temporaryDirectory('checkpoint'), schemaId, options);
  }

  async stop(): Promise<void> {
    await this.#spark?.end('SIGKILL');
    const { ring, admin, producer, deadLetters } = this.#clients;
    await Promise.all([ring.shutdown(), admin.disconnect(), producer.disconnect(), deadLetters.stop()]);
    const { kafka, registry, cassandra } = this.#servers;
    await Promise.all([registry.stop(), cassandra.stop()]);
    await Promise.all([kafka.stop(), this.#checkpoint.remove()]);
  }

  get spark(): SparkProcess {
    if (!this.#spark) throw new Error('Spark was not started yet');
    return this.#spark;
  }

  get cassandra(): Sections['cassandra'] {
    return this.#servers.cassandra.section;
  }

  /** Who may enter Cassandra, as the job and other programs of its take it. */
  get credentials(): NodeJS.ProcessEnv {
    return { CASSANDRA_USERNAME: ROLE.username, CASSANDRA_PASSWORD: ROLE.password };
  }

  /** Starts the job on the checkpoint that the last one left, or on a fresh one. */
  async startSpark({ replayFrom, cores, fresh = false }: Start = {}): Promise<void> {
    if (fresh) this.#generation++;
    this.#spark = await startSpark(this.#config(replayFrom), this.credentials, cores);
  }

  /** Writes the job's config.json, and answers where it stands. */
  async writeConfig(): Promise<string> {
    const file = join(this.#checkpoint.path, 'config.json');
    await writeFile(file, JSON.stringify(this.#config()));
    return file;
  }

  /** Kills the job and starts another; `meanwhile` is done while none runs. */
  async restart(replayFrom?: ReplayFrom, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    await this.spark.end('SIGKILL');
    await meanwhile();
    await this.startSpark({ replayFrom });
  }

  /** Has both topics take records of so many bytes. */
  async takeRecordsOf(bytes: number): Promise<void> {
    const configEntries = [{ name: 'max.message.bytes', value: String(bytes) }];
    const resources = [this.topic, this.deadLetterTopic].map((name) => ({
      type: ConfigResourceTypes.TOPIC,
      name,
      configEntries,
    }));
    await this.#clients.admin.alterConfigs({ validateOnly: false, resources });
  }

  async publish(publications: Publication[]): Promise<void> {
    await this.send(publications.map((each) => this.record(each)));
  }

  /** The record that the relay writes for `publication`. */
  record({ version, committedAt = Date.now(), ...what }: Publication): Message {
    const headers = { version: String(version), 'committed-at': String(committedAt) };
    return 'user' in what
      ? { key: what.user.id, value: encode(this.schemaId, what.user), headers }
      : { key: what.id, value: null, headers };
  }

  /** The records by which the relay ends the snapshot of `epoch`, which the topic holds within `span`. */
  epochEnd(epoch: bigint, span: Span): Message[] {
    const { topic, deadLetterTopic, schemaId } = this;
    return epochEnd(epoch, span, {
      topic,
      deadLetterTopic,
      schema: { id: schemaId, columns: USER_COLUMNS },
    });
  }

  async send(messages: Message[]): Promise<void> {
    await this.#clients.producer.send({ topic: this.topic, messages });
  }

  /** What provision does where these are the pipeline's `fields`. @returns the new schema's id */
  async provisionFields(fields: readonly Field[]): Promise<number> {
    const { registry, cassandra } = this.#servers;
    const subject = subjectClient(registrySection(registry), undefined);
    const wish = { ...cassandra.section, managed: false };
    await provisionSchema(subject, fields, [columnsInCassandra(wish, { credentials: ROLE, ca: undefined })]);
    return (await subject.latest()).id;
  }

  /** The values of a user's `names` columns as Cassandra's driver gives them, once there is one. */
  async values(id: string, names: readonly string[]): Promise<unknown[]> {
    const query = `SELECT ${names.join(', ')} FROM ${this.#table} WHERE id = ?`;
    const find = async () => (await this.#clients.ring.execute(query, [id], { prepare: true })).rows[0];
    const row = await this.#until(`${id} to stand in Cassandra`, find);
    return names.map((name) => row[name.replaceAll('"', '')]);
  }

  /** The offset behind the last record of each partition. */
  async endOffsets(): Promise<EndOffsets> {
    const ends = await this.#clients.admin.fetchTopicOffsets(this.topic);
    return Object.fromEntries(ends.map(({ partition, high }) => [partition, high]));
  }

  /** All dead letters so far, at least `count`. */
  async letters(count: number): Promise<TopicRecord[]> {
    const { records } = this.#clients.deadLetters;
    await this.#until(`${count} dead letters`, () => records.length >= count);
    return records;
  }

  /** Waits until `user` stands in Cassandra in every column. */
  async stands(user: AvroUser): Promise<void> {
    let found: AvroUser | undefined;
    const equal = async () => {
      found = await this.#find(user.id);
      return JSON.stringify(found) === JSON.stringify(user);
    };
    await this.#until(`${user.id} to stand in Cassandra`, equal).catch((error) => {
      assert.deepEqual(found, user, error.message);
      throw error;
    });
  }

  /** Waits until nobody stands in Cassandra under `id`. */
  async isGone(id: string): Promise<void> {
    await this.#until(`${id} to be gone`, async () => !(await this.#find(id)));
  }

  /** Empties the table behind the job's back. */
  async truncate(): Promise<void> {
    await this.#clients.ring.execute(`TRUNCATE ${this.#table}`);
  }

  /** Waits until the job has read the topic to its end. */
  async readsToEnd(): Promise<void> {
    const atEnd = async () => (await this.spark.status()).figures?.['readToEndAgoMs'] !== undefined;
    await this.#until('Spark to read the topic to its end', atEnd);
  }

  /** How many users took longer than the bucket of the latency histogram that `bound` names. */
  async slowerThan(bound: string): Promise<number> {
    const name = 'userstream_spark_latency_seconds';
    const [all, within] = await Promise.all([
      this.spark.metric(`${name}_count`),
      this.spark.metric(`${name}_bucket{le="${bound}"}`),
    ]);
    return all - within;
  }

  get #table(): string {
    const { keyspace, table } = this.#servers.cassandra.section;
    return `${keyspace}.${table}`;
  }

  async #find(id: string): Promise<AvroUser | undefined> {
    const query = `SELECT ${COLUMNS.join(', ')} FROM ${this.#table} WHERE id = ?`;
    const { rows } = await this.#clients.ring.execute(query, [id], { prepare: true });
    return rows[0] && toAvroUser({ ...rows[0], id: String(rows[0]['id']) });
  }

  async #until<T>(what: string, check: () => Promise<T> | T): Promise<NonNullable<T>> {
    return await until(what, check, PATIENCE_MS).catch((error) => {
      throw new Error(`${error.message}\n${this.#spark?.output().slice(-6000)}`);
    });
  }

  #config(replayFrom?: ReplayFrom): SparkConfig {
    const { kafka, registry, cassandra } = this.#servers;
    return {
      pipeline: { namespace: 'test', name: 'sink' },
      kafka: kafkaSection(kafka),
      schemaRegistry: registrySection(registry),
      cassandra: cassandra.section,
      spark: {
        sql: this.#sql,
        triggerMs: 200,
        maxOffsetsPerTrigger: this.#maxOffsetsPerTrigger,
        checkpointLocation: `file://${this.#checkpoint.path}/checkpoint-${this.#generation}`,
        ...(replayFrom ? { replayFrom } : {}),
      },
    };
  }
}

async function connect({ kafka, cassandra }: Servers): Promise<Clients> {
  const ring = cassandraClient(cassandra.section, ROLE);
  const admin = kafka.client.admin();
  const producer = kafka.client.producer();
  await Promise.all([ring.connect(), admin.connect(), producer.connect()]);
  return { ring, admin, producer, deadLetters: await readTopic(kafka.client, NAMES.deadLetterTopic) };
}

function kafkaSection({ bootstrapServers }: TestKafka): Sections['kafka'] {
  return { bootstrapServers, tls: false, compression: 'gzip', ...NAMES };
}

function registrySection({ url }: TestRegistry): Sections['schemaRegistry'] {
  return { url, subject: `${NAMES.topic}-value` };
}

/** What is too large for a topic is to be small enough for a test. */
function withKafkasLimit(wish: TopicWish): TopicWish {
  return { ...wish, config: { ...wish.config, 'max.message.bytes': '1048588' } };
}
