import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { KubeClient, loadKubeConfig } from '../../operator/src/kube/client.ts';
import { until } from '../../workers/test/wait.ts';
import { KAFKA, SOURCE } from './installed.ts';
import { lookInto, processesOf } from './processes.ts';
import { kafkaTopic } from './stores.ts';
import { World } from './world.ts';

// What the resource says of a process, asked of the process itself.

const MINUTES = 60_000;
const MIB = 2 ** 20;

/** Of so many batches some would begin at another second if Spark looked every second. */
const IN_STEP = 6;

const memory = (limit: string) => ({ resources: { requests: { memory: limit }, limits: { memory: limit } } });

const SPEC = {
  source: {
    url: `${SOURCE}/api/1.4/`,
    seed: 'settings',
    batchSize: 70,
    interval: '1s',
    rateLimit: { users: 140, per: '20s' },
  },
  ingest: memory('200Mi'),
  relay: { replicas: 1, ...memory('210Mi') },
  postgres: { managed: { storage: { size: '1Gi' }, maxSlotWalKeepSize: '96Mi', ...memory('400Mi') } },
  kafka: {
    external: { bootstrapServers: 'kafka.kafka.svc:9092' },
    topic: { partitions: 2, replicas: 1, retention: '36h', cleanup: ['compact'] },
  },
  spark: {
    sql: 'SELECT id, upper(email) AS email FROM users',
    trigger: '3s',
    maxOffsetsPerTrigger: 50,
    conf: { 'spark.executorEnv.SETTINGS_TEST': 'here' },
    driver: memory('1280Mi'),
    executor: { instances: 1, resources: { limits: { memory: '1120Mi' } } },
  },
  cassandra: {
    replicationFactor: 1,
    keyspace: 'settings',
    table: 'people',
    managed: {
      replicas: 1,
      storage: { size: '1Gi' },
      config: { compaction_throughput: '17MiB/s', hinted_handoff_enabled: 'false' },
      ...memory('1700Mi'),
    },
  },
};

const client = new KubeClient(loadKubeConfig());
const world = new World(client, 'e2e', 'settings');
after(() => client.close());

/** The processes of a component's first pod (or of the first whose name ends so). */
async function processes(component: string, suffix = '') {
  const pods = await world.pods(component);
  const pod = pods.find(({ metadata }) => metadata?.name?.endsWith(suffix));
  const found = processesOf(pod?.metadata?.uid ?? '').map(lookInto);
  // One that ended meanwhile has none.
  return found.filter(({ args }) => args.length > 0);
}

async function metric(component: string, name: string): Promise<number> {
  const text = await (await fetch(`http://${await world.address(component)}:8080/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, 'gm'))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

/** What Spark wrote of each micro-batch before it began: the time, and the offset of each partition up to which it reads. */
async function plannedBatches(): Promise<{ time: number; read: number }[]> {
  const [claim] = await world.claims('checkpoint-');
  const directory = join(await volumePath(claim), 'checkpoint', 'offsets');
  const files = readdirSync(directory).filter((name) => /^\d+$/.test(name));
  return files
    .sort((a, b) => Number(a) - Number(b))
    .map((file) => {
      const [, metadata = '{}', offsets = '{}'] = readFileSync(join(directory, file), 'utf8').split('\n');
      const partitions = Object.values(JSON.parse(offsets) as Record<string, Record<string, number>>);
      const read = partitions.flatMap((each) => Object.values(each)).reduce((sum, offset) => sum + offset, 0);
      return { time: JSON.parse(metadata).batchTimestampMs, read };
    });
}

async function volumePath(claim: V1PersistentVolumeClaim | undefined): Promise<string> {
  const volume = await client.get({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    name: claim?.spec?.volumeName ?? '',
  });
  return (volume as V1PersistentVolume | undefined)?.spec?.hostPath?.path ?? '';
}

describe('a setting of the resource', () => {
  before(async () => {
    await world.apply(SPEC);
    await until('the pipeline to be Ready', () => world.isReady(), 10 * MINUTES);
  });
  after(() => world.delete());

  test('is the memory that each process may use', async () => {
    const limits = { ingest: 200, relay: 210, postgres: 400, cassandra: 1700 };
    for (const [component, mib] of Object.entries(limits)) {
      const found = (await processes(component)).map(({ memoryLimit }) => memoryLimit);
      assert.ok(found.length > 0, component);
      assert.deepEqual(
        found,
        found.map(() => mib * MIB),
        component,
      );
    }
    const drivers = await processes('spark', 'spark-0');
    const limited = drivers.map(({ args: [program], memoryLimit }) => ({ program, memoryLimit }));
    assert.deepEqual(
      limited.filter(({ memoryLimit }) => memoryLimit !== 1280 * MIB),
      [],
    );
    assert.ok(drivers.some(({ args }) => args.includes(`-Xmx${Math.floor(1280 * 0.6)}m`)));
  });

  test("is a property of Spark's executor", async () => {
    const executors = await processes('spark', 'exec-1');
    assert.ok(executors.every(({ memoryLimit }) => memoryLimit === 1120 * MIB));
    const java = executors.find(({ args }) => args.some((each) => each.endsWith('java')));
    assert.ok(java?.args.includes(`-Xmx${Math.floor(1120 * 0.6)}m`), java?.args.join(' '));
    assert.ok(java?.env.includes('SETTINGS_TEST=here'));
  });

  test("is one of Cassandra's own", async () => {
    const settings = await world.cassandraQuery(
      "SELECT name, value FROM system_views.settings WHERE name IN ('compaction_throughput', 'hinted_handoff_enabled')",
    );
    const found = Object.fromEntries(settings.map(({ name, value }) => [name, value]));
    assert.deepEqual(found, { compaction_throughput: '17MiB/s', hinted_handoff_enabled: 'false' });
  });

  test("is one of Postgres' own", async () => {
    const shown = async (name: string) => {
      const [row] = await world.postgresQuery(`SHOW ${name}`);
      return row?.[name];
    };
    assert.equal(await shown('max_slot_wal_keep_size'), '96MB');
    assert.equal(await shown('shared_buffers'), '100MB');
  });

  test("is one of the topic's", async () => {
    const { partitions, config } = await kafkaTopic(KAFKA, 'e2e.settings.users');
    assert.equal(partitions, 2);
    assert.equal(config['retention.ms'], String(36 * 3_600_000));
    assert.equal(config['cleanup.policy'], 'compact');
  });

  test('is the size of a batch and the rate of the source', async () => {
    const users = () => metric('ingest', 'userstream_ingest_users_total');
    const from = await users();
    const moved = async () => ((await users()) > from ? performance.now() : undefined);
    const began = await until('another batch', moved, MINUTES);
    const four = async () => ((await users()) >= from + 4 * 70 ? performance.now() : undefined);
    const ended = await until('four batches in all', four, 2 * MINUTES);
    assert.equal((await users()) % 70, 0);
    // Four batches of 70 don't fit into one period of 140 users.
    assert.ok(ended - began > 15_000, `280 users in ${ended - began} ms`);
  });

  test('is what Spark reads at a time, and how often', async () => {
    // Spark begins at the multiples of the interval, once it is warm: a batch that takes longer is followed at once.
    const inStep = async () => {
      const batches = await plannedBatches();
      const last = batches.slice(-IN_STEP);
      const isInStep = last.length === IN_STEP && last.every(({ time }) => time % 3_000 < 1_000);
      return isInStep ? batches : undefined;
    };
    const planned = await until(
      `${IN_STEP} batches in a row that begin with the three seconds`,
      inStep,
      4 * MINUTES,
    );
    const read = planned.slice(1).map((batch, index) => batch.read - (planned[index]?.read ?? 0));
    assert.deepEqual(
      read.filter((records) => records > 50),
      [],
    );
  });

  test('is the SQL that every user goes through', async () => {
    const rows = await world.cassandraQuery('SELECT * FROM settings.people LIMIT 50');
    assert.ok(rows.length > 0);
    const filled = (row: Record<string, unknown>) => Object.keys(row).filter((name) => row[name] !== null);
    assert.deepEqual(new Set(rows.flatMap(filled)), new Set(['email', 'id']));
    assert.ok(rows.every(({ email }) => typeof email === 'string' && email === email.toUpperCase()));
  });

  test('takes effect in the running processes when it changes', async () => {
    const changed = {
      ...SPEC,
      source: { ...SPEC.source, batchSize: 30 },
      ingest: memory('220Mi'),
      kafka: { ...SPEC.kafka, topic: { ...SPEC.kafka.topic, partitions: 3, retention: '48h' } },
      spark: { ...SPEC.spark, sql: 'SELECT id, lower(email) AS email FROM users' },
    };
    await world.apply(changed);
    await until('the pipeline to be Ready', () => world.isReady(), 10 * MINUTES);
    const [ingest] = await processes('ingest');
    assert.equal(ingest?.memoryLimit, 220 * MIB);
    const { partitions, config } = await kafkaTopic(KAFKA, 'e2e.settings.users');
    assert.deepEqual([partitions, config['retention.ms']], [3, String(48 * 3_600_000)]);
    const lower = async () => {
      const rows = await world.cassandraQuery('SELECT email FROM settings.people');
      return rows.some(({ email }) => typeof email === 'string' && email === email.toLowerCase());
    };
    await until('users in lower case', lower, 2 * MINUTES);
  });
});
