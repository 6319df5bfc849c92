import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Message } from 'kafkajs';
import type { Field } from '../lib/columns.ts';
import type { Sections } from '../lib/config.ts';
import type { EndOffsets } from '../lib/kafka.ts';
import { ConfigResourceTypes } from '../lib/kafkajs.ts';
import { USER_COLUMNS } from '../lib/user.ts';
import { epochEnd, type Span } from '../relay/records.ts';
import { type AvroUser, encode, toAvroUser } from './avro.ts';
import { type TemporaryDirectory, temporaryDirectory } from './directory.ts';
import {
  type Clients,
  connect,
  disconnect,
  makeTopics,
  NAMES,
  provisionFields,
  ROLE,
  registerSchema,
  type Servers,
  sectionsOf,
  startServers,
  stopServers,
} from './sink-servers.ts';
import { SinkTable } from './sink-table.ts';
import { type ReplayFrom, type SparkConfig, type SparkProcess, startSpark } from './spark.ts';
import type { TopicRecord } from './topic.ts';
import { until } from './wait.ts';

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

/** Real servers around the streaming job, provisioned; users are published to it as the relay does. */
export class SinkBench {
  readonly topic = NAMES.topic;
  readonly deadLetterTopic = NAMES.deadLetterTopic;
  readonly schemaId: number;
  readonly table: SinkTable;
  readonly #servers: Servers;
  readonly #clients: Clients;
  readonly #checkpoint: TemporaryDirectory;
  readonly #options: SinkBenchOptions;
  #generation = 0;
  #spark: SparkProcess | undefined;

  private constructor(
    servers: Servers,
    clients: Clients,
    checkpoint: TemporaryDirectory,
    schemaId: number,
    options: SinkBenchOptions,
  ) {
    this.#servers = servers;
    this.#clients = clients;
    this.#checkpoint = checkpoint;
    this.schemaId = schemaId;
    this.#options = options;
    this.table = new SinkTable(clients.ring, this.cassandra, (what, check) => this.#until(what, check));
  }

  /** Starts and provisions all but Spark. */
  static async start(options: SinkBenchOptions): Promise<SinkBench> {
    const servers = await startServers();
    const schemaId = await registerSchema(servers);
    const clients = await connect(servers);
    return new SinkBench(servers, clients, await temporaryDirectory('checkpoint'), schemaId, options);
  }

  async stop(): Promise<void> {
    await this.#spark?.end('SIGKILL');
    await disconnect(this.#clients);
    await Promise.all([stopServers(this.#servers), this.#checkpoint.remove()]);
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
    this.#spark = await startSpark(this.config(replayFrom), this.credentials, { cores });
  }

  /** The job's config.json, on a checkpoint of the bench's. */
  config(replayFrom?: ReplayFrom): SparkConfig {
    const { sql, maxOffsetsPerTrigger = 20_000 } = this.#options;
    const checkpointLocation = `file://${this.#checkpoint.path}/checkpoint-${this.#generation}`;
    const spark = { sql, triggerMs: 200, maxOffsetsPerTrigger, checkpointLocation };
    return { ...sectionsOf(this.#servers), spark: { ...spark, ...(replayFrom ? { replayFrom } : {}) } };
  }

  /** Writes the job's config.json, and answers where it stands. */
  async writeConfig(): Promise<string> {
    const file = join(this.#checkpoint.path, 'config.json');
    await writeFile(file, JSON.stringify(this.config()));
    return file;
  }

  /** Kills the job and starts another; `meanwhile` is done while none runs. */
  async restart(replayFrom?: ReplayFrom, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    await this.spark.end('SIGKILL');
    await meanwhile();
    await this.startSpark({ replayFrom });
  }

  /** Removes every record that the topic holds, as its retention does. */
  async removeRecords(): Promise<void> {
    const ends = Object.entries(await this.endOffsets());
    const partitions = ends.map(([partition, offset]) => ({ partition: Number(partition), offset }));
    await this.#clients.admin.deleteTopicRecords({ topic: this.topic, partitions });
  }

  /** Deletes the topic, and makes another one of its name. */
  async makeTopicAnew(): Promise<void> {
    await this.#clients.admin.deleteTopics({ topics: [this.topic] });
    await makeTopics(this.#servers);
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
    const schema = { id: schemaId, columns: USER_COLUMNS };
    return epochEnd(epoch, span, { topic, deadLetterTopic, schema });
  }

  async send(messages: Message[]): Promise<void> {
    await this.#clients.producer.send({ topic: this.topic, messages });
  }

  /** What provision does where these are the pipeline's `fields`. @returns the new schema's id */
  provisionFields(fields: readonly Field[]): Promise<number> {
    return provisionFields(this.#servers, fields);
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

  /** Waits until the job has read the topic to its end. */
  async readsToEnd(): Promise<void> {
    const atEnd = async () => (await this.spark.status()).figures?.['readToEndAgoMs'] !== undefined;
    await this.#until('Spark to read the topic to its end', atEnd);
  }

  async #until<T>(what: string, check: () => Promise<T> | T): Promise<NonNullable<T>> {
    return await until(what, check, PATIENCE_MS).catch((error) => {
      throw new Error(`${error.message}\n${this.#spark?.output().slice(-6000)}`);
    });
  }
}
