import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Client } from 'cassandra-driver';
import kafkajs, { type Admin } from 'kafkajs';
import pg from 'pg';
import { pino } from 'pino';
import { cassandraClient, isAuthenticationError } from '../lib/cassandra.ts';
import { postgresClient } from '../lib/postgres.ts';
import { subjectClient } from '../lib/registry.ts';
import { USER_COLUMNS } from '../lib/user.ts';
import { startCassandra, type TestCassandra } from '../test/cassandra.ts';
import { startKafka, type TestKafka } from '../test/kafka.ts';
import { startPostgres, type TestPostgres } from '../test/postgres.ts';
import { runToEnd } from '../test/process.ts';
import { startRegistry, type TestRegistry } from '../test/registry.ts';
import { until } from '../test/wait.ts';
import { grantCassandra } from './audit.ts';
import { dropTable, provisionCassandra } from './cassandra.ts';
import { provisionTopics } from './kafka.ts';

const ROLE = { username: 'streamer', password: "it's secret" };
const TOPIC = 'test.provision.users';
const JOURNAL = 'test.provision.journal';
const NOBODY = { credentials: undefined, ca: undefined };

describe('provision', () => {
  let [postgres, kafka, registry, cassandra]: [TestPostgres, TestKafka, TestRegistry, TestCassandra] =
    [] as never;
  let [db, admin, ring]: [pg.Client, Admin, Client] = [] as never;

  before(async () => {
    [postgres, kafka] = await Promise.all([startPostgres(), startKafka()]);
    [registry, cassandra] = await Promise.all([startRegistry(kafka), startCassandra()]);
    db = new pg.Client(postgresClient(postgres.section, postgres.credentials));
    await db.connect();
    admin = kafka.client.admin();
    await admin.connect();
    ring = cassandraClient(cassandra.section, ROLE);
  });

  after(async () => {
    await db?.end().catch(() => {});
    await Promise.all([admin?.disconnect(), ring?.shutdown()]);
    await Promise.all([registry?.stop(), cassandra?.stop()]);
    await Promise.all([kafka?.stop(), postgres?.stop()]);
  });

  const subject = () => ({ url: registry.url, subject: `${TOPIC}-value` });

  const kafkaSection = () => ({
    bootstrapServers: kafka.bootstrapServers,
    tls: false,
    compression: 'none' as const,
    topic: TOPIC,
    deadLetterTopic: `${TOPIC}.dead-letter`,
  });
  const managed = () => ({ ...cassandra.section, managed: true });

  /** Runs the process as its Job does. */
  async function run(topics: object = {}, ...args: string[]): Promise<void> {
    const config = {
      pipeline: { namespace: 'test', name: 'provision' },
      postgres: postgres.section,
      kafka: kafkaSection(),
      topics: {
        partitions: 2,
        replicas: 1,
        config: { 'cleanup.policy': 'compact,delete' },
        deadLetterConfig: { 'cleanup.policy': 'delete' },
        ...topics,
      },
      registryTopics: [JOURNAL],
      schemaRegistry: subject(),
      cassandra: cassandra.section,
      teardown: { topics: true, subject: true, slot: true, tables: true, keyspace: true },
    };
    const env = {
      POSTGRES_USERNAME: postgres.credentials.username,
      POSTGRES_PASSWORD: postgres.credentials.password,
      CASSANDRA_USERNAME: ROLE.username,
      CASSANDRA_PASSWORD: ROLE.password,
    };
    const { code, output } = await runToEnd('provision', { config, env, args });
    assert.equal(code, 0, output);
  }

  async function world() {
    const tables = await db.query(
      `SELECT table_name, column_name, data_type FROM information_schema.columns
       WHERE table_schema = 'public' ORDER BY 1, 2`,
    );
    const state = await db.query('SELECT slot, epoch, snapshot_done, start_lsn::text FROM relay_state');
    const publications = await db.query('SELECT xmin, * FROM pg_publication');
    const triggers = await db.query('SELECT xmin, tgname FROM pg_trigger');
    const { topics } = await admin.fetchTopicMetadata({ topics: [TOPIC, `${TOPIC}.dead-letter`, JOURNAL] });
    const keyspaces = await ring.execute('SELECT keyspace_name, replication FROM system_schema.keyspaces');
    const { id } = await subjectClient(subject(), undefined).latest();
    const postgresRows = [tables.rows, state.rows, publications.rows, triggers.rows];
    const partitions = Object.fromEntries(topics.map((topic) => [topic.name, topic.partitions.length]));
    return { postgres: postgresRows, partitions, keyspaces: keyspaces.rows, id };
  }

  async function configOf(topic: string): Promise<Record<string, string>> {
    const type = kafkajs.ConfigResourceTypes.TOPIC;
    const answer = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type, name: topic }],
    });
    const entries = answer.resources[0]?.configEntries ?? [];
    return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
  }

  test('makes everything that a pipeline needs, and changes nothing the second time', async () => {
    await run();
    const { rows } = await ring.execute(
      `SELECT column_name, type FROM system_schema.columns WHERE keyspace_name = 'userstream' AND table_name = 'users'`,
    );
    const columns = Object.fromEntries(rows.map((row) => [row['column_name'], row['type']]));
    assert.deepEqual(columns, { ...USER_COLUMNS });
    assert.equal((await configOf(TOPIC))['cleanup.policy'], 'compact,delete');
    assert.equal((await configOf(JOURNAL))['retention.ms'], '-1');
    const state = await db.query(
      `SELECT epoch, snapshot_done, start_lsn = restart_lsn AS same
       FROM relay_state JOIN pg_replication_slots ON slot_name = slot`,
    );
    assert.deepEqual(state.rows, [{ epoch: 0, snapshot_done: false, same: true }]);
    const before = await world();
    await run();
    assert.deepEqual(await world(), before);
  });

  test('locks the default role of a ring that is ours', async () => {
    const refused = async () => {
      const client = cassandraClient(cassandra.section, { username: 'cassandra', password: 'cassandra' });
      try {
        return await client.connect().then(() => false, isAuthenticationError);
      } finally {
        await client.shutdown();
      }
    };
    // Cassandra goes on for two seconds with what it last read of a role.
    await until('the default role to be refused', refused, 10_000);
  });

  test('adds partitions, settings and columns, and keeps the settings of others', async () => {
    const type = kafkajs.ConfigResourceTypes.TOPIC;
    const configEntries = [{ name: 'min.cleanable.dirty.ratio', value: '0.25' }];
    await admin.alterConfigs({ validateOnly: false, resources: [{ type, name: TOPIC, configEntries }] });
    await db.query('ALTER TABLE users DROP COLUMN picture');
    await ring.execute('ALTER TABLE userstream.users DROP picture');
    await run({ partitions: 4, config: { 'retention.ms': '3600000' } });
    const config = await configOf(TOPIC);
    assert.deepEqual([config['min.cleanable.dirty.ratio'], config['retention.ms']], ['0.25', '3600000']);
    const { topics } = await admin.fetchTopicMetadata({ topics: [TOPIC] });
    assert.equal(topics[0]?.partitions.length, 4);
    await db.query('SELECT picture FROM users');
    await ring.execute('SELECT picture FROM userstream.users');
  });

  test('counts a lost slot as a new epoch, to be published anew', async () => {
    await db.query('UPDATE relay_state SET snapshot_done = true');
    await db.query(`SELECT pg_drop_replication_slot('${postgres.section.slot}')`);
    await run({ partitions: 4 });
    const { rows } = await db.query('SELECT epoch, snapshot_done FROM relay_state');
    assert.deepEqual(rows, [{ epoch: 1, snapshot_done: false }]);
  });

  test('refuses what Kafka can not change in a topic, before it alters any of it', async () => {
    const ask = (wish: { partitions: number; replicas: number }) =>
      provisionTopics(kafkaSection(), NOBODY, pino({ enabled: false }), [
        { name: TOPIC, config: { 'min.insync.replicas': '2' }, ...wish },
      ]);
    const fewer = { stage: 'Kafka', reason: 'TopicHasMorePartitions' };
    await assert.rejects(ask({ partitions: 1, replicas: 1 }), fewer);
    const others = { stage: 'Kafka', reason: 'TopicReplicasDiffer' };
    await assert.rejects(ask({ partitions: 4, replicas: 3 }), others);
    assert.equal((await configOf(TOPIC))['min.insync.replicas'], '1');
  });

  test('says what to lower where the cluster refuses a topic, new or not', async () => {
    const ask = (name: string) =>
      provisionTopics(kafkaSection(), NOBODY, pino({ enabled: false }), [
        { name, partitions: 4, replicas: 1, config: { 'max.message.bytes': '-1' } },
      ]);
    const refused = { reason: 'TopicRefused', message: /lower kafka\.topic\.maxMessageBytes/ };
    await assert.rejects(ask(TOPIC), refused);
    await assert.rejects(ask('test.provision.new'), refused);
  });

  test('says whose password a ring that is set up refuses', async () => {
    const wrong = { credentials: { ...ROLE, password: 'changed by hand' }, ca: undefined };
    await assert.rejects(provisionCassandra(managed(), wrong), {
      reason: 'CassandraAccessDenied',
      message: /streamer.*must be changed back/,
    });
  });

  test("keeps as many copies of Cassandra's own keyspaces as of the users, so that nodes can leave", async () => {
    const { rows } = await ring.execute('SELECT keyspace_name, replication FROM system_schema.keyspaces');
    const copies = rows
      .filter((row) => ['system_auth', 'system_distributed', 'system_traces'].includes(row['keyspace_name']))
      .map(({ replication }) => replication['dc1'] ?? replication['replication_factor']);
    assert.deepEqual(copies, ['1', '1', '1']);
  });

  test('waits with more copies until the ring has as many nodes', async () => {
    const access = { credentials: ROLE, ca: undefined };
    await assert.rejects(provisionCassandra({ ...managed(), replicationFactor: 2 }, access), {
      reason: 'NotEnoughReplicas',
      message: /2 copies when the ring has as many nodes, it has 1/,
    });
  });

  test("makes a keyspace and a table whose names are words of CQL's own, and takes them away", async () => {
    const wish = { ...managed(), keyspace: 'token', table: 'order' };
    const access = { credentials: ROLE, ca: undefined };
    await provisionCassandra(wish, access);
    await grantCassandra(wish, access, { username: 'reader', password: "it's secret" });
    await dropTable(wish, access);
    const { rows } = await ring.execute('SELECT keyspace_name FROM system_schema.keyspaces');
    assert.ok(rows.every((row) => row['keyspace_name'] !== 'token'));
  });

  test('teardown leaves a keyspace that holds the table of another', async () => {
    const access = { credentials: ROLE, ca: undefined };
    await provisionCassandra({ ...managed(), table: 'others' }, access);
    await dropTable(managed(), access);
    const { rows } = await ring.execute(
      `SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'userstream'`,
    );
    assert.deepEqual(
      rows.map((row) => row['table_name']),
      ['others'],
    );
    await ring.execute('DROP TABLE userstream.others');
  });

  test('teardown takes all of it away, also what is gone already', async () => {
    await run({}, 'teardown');
    await run({}, 'teardown');
    assert.equal((await db.query('SELECT FROM pg_replication_slots')).rowCount, 0);
    const left = await db.query(
      `SELECT pubname::text AS name FROM pg_publication
       UNION ALL SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
       UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace`,
    );
    assert.deepEqual(left.rows, []);
    const topics = await admin.listTopics();
    assert.deepEqual(
      topics.filter((name) => name.startsWith('test.provision')),
      [],
    );
    await assert.rejects(subjectClient(subject(), undefined).latest(), { reason: 'SchemaMissing' });
    const { rows } = await ring.execute('SELECT keyspace_name FROM system_schema.keyspaces');
    assert.ok(rows.every((row) => row['keyspace_name'] !== 'userstream'));
  });
});
