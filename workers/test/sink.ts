import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Message } from 'kafkajs';
import type { Sections } from '../lib/config.ts';
import type { EndOffsets } from '../lib/kafka.ts';
import { USER_COLUMNS } from '../lib/user.ts';
import { epochEnd, type Span } from '../relay/records.ts';
import { type AvroUser, encode, toAvroUser } from './avro.ts';
import { type TemporaryDirectory, temporaryDirectory } from './directory.ts';
import { NAMES, ROLE, type SinkServers, startSinkServers } from './sink-servers.ts';
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
  readonly servers: SinkServers;
  readonly #table: SinkTable;
  readonly #checkpoint: TemporaryDirectory;
  readonly #sql: string;
  readonly #maxOffsetsPerTrigger: number;
  #generation = 0;
  #spark: SparkProcess | undefined;

  private constructor(
    servers: SinkServers,
    checkpoint: TemporaryDirectory,
    { sql, maxOffsetsPerTrigger = 20_000 }: SinkBenchOptions,
  ) {
    this.servers = servers;
    this.#table = new SinkTable(servers.ring, servers.sections.cassandra);
    this.#checkpoint = checkpoint;
    this.#sql = sql;
    this.#maxOffsetsPerTrigger = maxOffsetsPerTrigger;
  }

  /** Starts and provisions all but Spark. */
  static async start(options: SinkBenchOptions): Promise<SinkBench> {
    return new SinkBench(await startSinkServers(), await temporaryDirectory('checkpoint'), options);
  }

  async stop(): Promise<void> {
    await this.#spark?.end('SIGKILL');
    await Promise.all([this.servers.stop(), this.#checkpoint.remove()]);
  }

  /** The schema that users are published with. */
  get schemaId(): number {
    return this.servers.schemaId;
  }

  get spark(): SparkProcess {
    if (!this.#spark) throw new Error('Spark was not started yet');
    return this.#spark;
  }

  get cassandra(): Sections['cassandra'] {
    return this.servers.sections.cassandra;
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
    await this.servers.producer.send({ topic: this.topic, messages });
  }

  /** The values of a user's `names` columns as Cassandra's driver gives them, once there is one. */
  async values(id: string, names: readonly string[]): Promise<unknown[]> {
    const row = await this.#until(`${id} to stand in Cassandra`, () => this.#table.row(id, names));
    return names.map((name) => row[name.replaceAll('"', '')]);
  }

  /** The offset behind the last record of each partition. */
  async endOffsets(): Promise<EndOffsets> {
    const ends = await this.servers.admin.fetchTopicOffsets(this.topic);
    return Object.fromEntries(ends.map(({ partition, high }) => [partition, high]));
  }

  /** All dead letters so far, at least `count`. */
  async letters(count: number): Promise<TopicRecord[]> {
    const { records } = this.servers.deadLetters;
    await this.#until(`${count} dead letters`, () => records.length >= count);
    return records;
  }

  /** Waits until `user` stands in Cassandra in every column. */
  async stands(user: AvroUser): Promise<void> {
    let found: AvroUser | undefined;
    const equal = async () => {
      found = await this.#table.find(user.id);
      return JSON.stringify(found) === JSON.stringify(user);
    };
    await this.#until(`${user.id} to stand in Cassandra`, equal).catch((error) => {
      assert.deepEqual(found, user, error.message);
      throw error;
    });
  }

  /** Waits until nobody stands in Cassandra under `id`. */
  async isGone(id: string): Promise<void> {
    await this.#until(`${id} to be gone`, async () => !(await this.#table.find(id)));
  }

  /** Empties the table behind the job's back. */
  async truncate(): Promise<void> {
    await this.#table.truncate();
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

  #config(replayFrom?: ReplayFrom): SparkConfig {
    return {
      pipeline: { namespace: 'test', name: 'sink' },
      ...this.servers.sections,
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
