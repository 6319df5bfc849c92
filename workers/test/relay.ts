import pg from 'pg';
import { pino } from 'pino';
import { columnsOfSchema } from '../lib/avro.ts';
import type { Columns, Field } from '../lib/columns.ts';
import type { Sections } from '../lib/config.ts';
import { postgresClient } from '../lib/postgres.ts';
import { type SubjectClient, subjectClient } from '../lib/registry.ts';
import { columnsInPostgres } from '../provision/columns.ts';
import { provisionTopics, topicWishes } from '../provision/kafka.ts';
import { provisionPostgres } from '../provision/postgres.ts';
import { provisionSchema } from '../provision/schema.ts';
import { startKafka, type TestKafka } from './kafka.ts';
import { startPostgres, type TestPostgres } from './postgres.ts';
import { startWorker, type WorkerProcess } from './process.ts';
import { assertOrdered, finalState } from './records.ts';
import { startRegistry, type TestRegistry } from './registry.ts';
import { readTopic, type TopicReader } from './topic.ts';
import { until } from './wait.ts';

const NOBODY = { credentials: undefined, ca: undefined };
const NAMES = { topic: 'test.relay.users', deadLetterTopic: 'test.relay.users.dead-letter' };

type RelayBenchOptions = {
  compression?: 'none' | 'gzip';
  /** The settings of the users topic. */
  topicConfig?: Record<string, string>;
};

/** Real servers around the relay, provisioned, and readers of what it publishes. */
export class RelayBench {
  readonly postgres: TestPostgres;
  readonly kafka: TestKafka;
  db: pg.Client;
  readonly users: TopicReader;
  readonly deadLetters: TopicReader;
  readonly #registry: TestRegistry;
  readonly #section: Sections['kafka'];
  readonly #schemas = new Map<number, Columns>();
  readonly #relays: WorkerProcess[] = [];

  private constructor(
    servers: Servers,
    section: Sections['kafka'],
    db: pg.Client,
    [users, deadLetters]: [TopicReader, TopicReader],
  ) {
    this.postgres = servers.postgres;
    this.kafka = servers.kafka;
    this.#registry = servers.registry;
    this.#section = section;
    this.db = db;
    this.users = users;
    this.deadLetters = deadLetters;
  }

  static async start({ compression, topicConfig }: RelayBenchOptions = {}): Promise<RelayBench> {
    const [postgres, kafka] = await Promise.all([startPostgres(), startKafka()]);
    const servers = { postgres, kafka, registry: await startRegistry(kafka) };
    const section = kafkaSection(kafka, compression);
    const topics = { partitions: 3, replicas: 1, config: topicConfig ?? {}, deadLetterConfig: {} };
    await provisionTopics(section, NOBODY, pino({ enabled: false }), topicWishes(section, topics, []));
    await provisionPostgres(postgres.section, { credentials: postgres.credentials, ca: undefined });
    const db = await connect(postgres);
    const users = await readTopic(kafka.client, NAMES.topic);
    const deadLetters = await readTopic(kafka.client, NAMES.deadLetterTopic);
    const bench = new RelayBench(servers, section, db, [users, deadLetters]);
    await bench.provisionFields([]);
    return bench;
  }

  async stop(): Promise<void> {
    for (const relay of this.#relays) await relay.end('SIGKILL');
    await this.db.end().catch(() => {});
    await Promise.all([this.users.stop(), this.deadLetters.stop(), this.#registry.stop()]);
    await Promise.all([this.kafka.stop(), this.postgres.stop()]);
  }

  /** Where Kafka and the registry are, as a worker's config.json says it. */
  get sections() {
    return { kafka: this.#section, schemaRegistry: registrySection(this.#registry) };
  }

  /** How the pipeline's own role gets in. */
  get owner() {
    return { credentials: this.postgres.credentials, ca: undefined };
  }

  /** The relay that was started last. */
  get relay(): WorkerProcess {
    const last = this.#relays.at(-1);
    if (!last) throw new Error('no relay was started yet');
    return last;
  }

  /** Starts one more relay; `port` is Postgres's, or a proxy's before it. */
  async startRelay(port = this.postgres.section.port, topic = NAMES.topic): Promise<WorkerProcess> {
    const { username, password } = this.postgres.credentials;
    const relay = await startWorker('relay', {
      // A heap that holds no large transaction.
      env: {
        POSTGRES_USERNAME: username,
        POSTGRES_PASSWORD: password,
        NODE_OPTIONS: '--max-old-space-size=64',
      },
      config: {
        pipeline: { namespace: 'test', name: 'relay' },
        postgres: { ...this.postgres.section, port },
        ...this.sections,
        kafka: { ...this.#section, topic },
      },
    });
    this.#relays.push(relay);
    return relay;
  }

  /** Shuts Postgres down, does `work`, and starts it again. */
  async whileHalted<T>(work: () => Promise<T>): Promise<T> {
    await this.db.end();
    await this.postgres.halt();
    const result = await work();
    await this.postgres.start();
    this.db = await connect(this.postgres);
    return result;
  }

  /** What provision does where these are the pipeline's `fields`. */
  async provisionFields(fields: readonly Field[]): Promise<void> {
    const table = columnsInPostgres(this.postgres.section, this.owner);
    await provisionSchema(this.subject, fields, [table]);
    const { id, schema } = await this.subject.latest();
    this.#schemas.delete(id);
    this.#schemas.set(id, columnsOfSchema(schema) ?? {});
  }

  get subject(): SubjectClient {
    return subjectClient(this.sections.schemaRegistry, undefined);
  }

  async insert(count: number, name = 'Ada'): Promise<void> {
    await this.db.query(
      `INSERT INTO users (id, first_name, dob) SELECT gen_random_uuid(), $1, '1815-12-10T00:00:00.123Z'
       FROM generate_series(1, $2)`,
      [name, count],
    );
  }

  /** Waits until the last record of every key says what stands in the table; then checks the order of all records. */
  async equal(what: string, deadlineMs = 60_000): Promise<void> {
    const columns = [...this.#schemas.values()].at(-1) ?? {};
    const { rows } = await this.db.query(`SELECT ${Object.keys(columns).join(', ')} FROM users`);
    const wanted = new Map(rows.map((row) => [row.id, JSON.stringify(row)]));
    const isEqual = () => {
      const present = finalState(this.users.records, this.#schemas);
      return present.size === wanted.size && [...wanted].every(([id, row]) => present.get(id) === row);
    };
    await until(`Kafka to hold what Postgres does ${what} (${wanted.size} users)`, isEqual, deadlineMs).catch(
      (error) => {
        throw new Error(
          `${error.message}: it holds ${finalState(this.users.records, this.#schemas).size}\n${this.relay.output().slice(-6000)}`,
        );
      },
    );
    assertOrdered(this.users.records);
  }
}

type Servers = { postgres: TestPostgres; kafka: TestKafka; registry: TestRegistry };

async function connect({ section, credentials }: TestPostgres): Promise<pg.Client> {
  const db = new pg.Client(postgresClient(section, credentials));
  await db.connect();
  return db;
}

function kafkaSection(
  { bootstrapServers }: TestKafka,
  compression: 'none' | 'gzip' = 'gzip',
): Sections['kafka'] {
  return { bootstrapServers, tls: false, compression, ...NAMES };
}

function registrySection({ url }: TestRegistry): Sections['schemaRegistry'] {
  return { url, subject: `${NAMES.topic}-value` };
}
