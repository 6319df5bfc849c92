import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Client } from 'cassandra-driver';
import { cassandraClient } from '../lib/cassandra.ts';
import { provisionCassandra } from '../provision/cassandra.ts';
import { startCassandra, type TestCassandra } from '../test/cassandra.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../test/directory.ts';
import { runToEnd } from '../test/process.ts';
import { RelayBench } from '../test/relay.ts';
import { type SparkProcess, startSpark } from '../test/spark.ts';
import { freePort, until } from '../test/wait.ts';

const ROLE = { username: 'streamer', password: 'test-password' };
const LOGIN = { CASSANDRA_USERNAME: ROLE.username, CASSANDRA_PASSWORD: ROLE.password };
const PIPELINE = { namespace: 'test', name: 'erase' };
const GONE = 'abcdefab-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';
const STRAY = '33333333-3333-4333-8333-333333333333';
/** A version above any time of day. */
const EPOCH_9 = 9n << 48n;

describe('erasure', { timeout: 600_000 }, () => {
  let [bench, cassandra, ring]: [RelayBench, TestCassandra, Client] = [] as never;
  let [spark, checkpoint]: [SparkProcess, TemporaryDirectory] = [] as never;
  let port = 0;

  before(async () => {
    [bench, cassandra] = await Promise.all([RelayBench.start(), startCassandra()]);
    await provisionCassandra({ ...cassandra.section, managed: true }, { credentials: ROLE, ca: undefined });
    ring = cassandraClient(cassandra.section, ROLE);
    await ring.connect();
    [checkpoint, port] = [await temporaryDirectory('checkpoint'), await freePort()];
    for (const id of [GONE, OTHER]) {
      await bench.db.query(`INSERT INTO users (id, first_name) VALUES ($1, 'Ada')`, [id]);
      await bench.db.query(
        `INSERT INTO rejected_users (reason, raw) VALUES ('bad', convert_to($1, 'UTF8'))`,
        [`{"login":{"uuid":"${id.replace('abc', 'aBC')}"}}`],
      );
    }
    await bench.startRelay();
    await startDriver();
    for (const id of [GONE, OTHER]) await until(`${id} to stand in Cassandra`, () => stands(id), 120_000);
    await ring.execute(
      `INSERT INTO userstream.users (id, first_name) VALUES (${STRAY}, 'Ada') USING TIMESTAMP ${EPOCH_9}`,
    );
  });

  after(async () => {
    await spark?.end('SIGKILL');
    await ring?.shutdown();
    await Promise.all([cassandra?.stop(), bench?.stop(), checkpoint?.remove()]);
  });

  async function startDriver(): Promise<void> {
    const config = {
      pipeline: PIPELINE,
      ...bench.sections,
      cassandra: cassandra.section,
      spark: {
        sql: 'SELECT * FROM users',
        triggerMs: 200,
        maxOffsetsPerTrigger: 1000,
        checkpointLocation: `file://${checkpoint.path}/checkpoint`,
      },
    };
    spark = await startSpark(config, LOGIN, { port });
  }

  function run(id: string) {
    const { username, password } = bench.postgres.credentials;
    const { kafka } = bench.sections;
    return runToEnd('erase', {
      args: [id, `http://127.0.0.1:${port}`],
      env: { POSTGRES_USERNAME: username, POSTGRES_PASSWORD: password, ...LOGIN },
      config: { pipeline: PIPELINE, postgres: bench.postgres.section, kafka, cassandra: cassandra.section },
    });
  }

  const stands = async (id: string) =>
    (await ring.execute(`SELECT id FROM userstream.users WHERE id = ${id}`)).rowLength === 1;

  /** Waits until Kafka has the deletion, which nobody has carried on yet, and lets Spark go on. */
  async function carryLate(id: string): Promise<void> {
    const isDeleted = () => bench.users.records.some(({ key, value }) => key === id && value === null);
    await until('the tombstone', isDeleted);
    assert.ok(await stands(id));
    await startDriver();
  }

  test('deletes one user everywhere, also what was still under way, and proves it', async () => {
    await spark.end('SIGKILL');
    const [{ code, output }] = await Promise.all([run(GONE), carryLate(GONE)]);
    assert.equal(code, 0, output);
    assert.match(output, /^Postgres +users: 1 row deleted, none left$/m);
    assert.match(output, /^Postgres +rejected_users: 1 row deleted, none left$/m);
    assert.match(output, /^Cassandra +userstream\.users: no row$/m);
    assert.match(
      output,
      /^Kafka +test\.relay\.users: deleted at offset \d+ of partition \d; \d records? with a value, gone by 20/m,
    );
    assert.match(output, /^Kafka +test\.relay\.users\.dead-letter: no record with a value$/m);
  });

  test('tells of a user that stands only in Cassandra, and how it goes', async () => {
    const { code, output } = await run(STRAY);
    assert.equal(code, 1);
    const [, deletion] =
      /run (DELETE FROM "userstream"\."users" .*) there, and this again/.exec(output) ?? [];
    await ring.execute(deletion ?? '');
    assert.equal((await run(STRAY)).code, 0);
  });

  test('leaves every other user', async () => {
    const { rows } = await bench.db.query('SELECT id FROM users');
    const rejected = await bench.db.query('SELECT FROM rejected_users');
    const { rowLength } = await ring.execute('SELECT id FROM userstream.users');
    assert.deepEqual([rows, rejected.rowCount, rowLength], [[{ id: OTHER }], 1, 1]);
  });

  test('may be run again', async () => {
    const { code, output } = await run(GONE.toUpperCase());
    assert.equal(code, 0, output);
    assert.match(output, /^Postgres +users: 0 rows deleted, none left$/m);
  });

  test('takes nothing but an id', async () => {
    const { code, output } = await run('Ada');
    assert.deepEqual([code, /Ada is not a user's id: give a UUID/.test(output)], [1, true]);
  });
});
