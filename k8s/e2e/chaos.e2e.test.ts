import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeClient, loadKubeConfig } from '../../operator/src/kube/client.ts';
import { seedOf } from '../../operator/test/faults/play.ts';
import { Random } from '../../operator/test/faults/random.ts';
import { until } from '../../workers/test/wait.ts';
import { Chaos } from './chaos.ts';
import { chooseKill, type PodName } from './stages.ts';

const MINUTES = 60_000;
const CUT_MS = MINUTES;
/** spark.network.timeout is a minute, and looked at every minute: by then the driver has given the executor up. */
const LONG_CUT_MS = 2.5 * MINUTES;

const seed = seedOf(process.env);
const kills = Number(process.env['KILLS'] ?? 50);
const random = new Random(`${seed}`);

const CUTS: [one: PodName, other: PodName, ms: number][] = [
  ['ingest', 'source', CUT_MS],
  ['ingest', 'Postgres', CUT_MS],
  ['relay', 'Postgres', CUT_MS],
  ['relay', 'broker', CUT_MS],
  ['relay', 'registry', CUT_MS],
  ['Spark driver', 'broker', CUT_MS],
  ['Spark executor', 'broker', CUT_MS],
  ['Spark executor', 'Cassandra', CUT_MS],
  ['Spark driver', 'registry', CUT_MS],
  ['Spark driver', 'Cassandra', CUT_MS],
  ['registry', 'broker', CUT_MS],
  ['Spark driver', 'Spark executor', LONG_CUT_MS],
];

const client = new KubeClient(loadKubeConfig());
const chaos = new Chaos(client, 'chaos');
const { world } = chaos;
after(() => client.close());

const scaleKafka = (replicas: number) =>
  execFileSync('kubectl', ['scale', 'statefulset/kafka', '--namespace=kafka', `--replicas=${replicas}`], {
    stdio: 'pipe',
  });

/** Waits until a minute has passed without Kafka, does `meanwhile`, and brings Kafka back. */
async function withoutKafka(meanwhile: () => Promise<void>): Promise<void> {
  scaleKafka(0);
  try {
    await sleep(CUT_MS);
    await meanwhile();
  } finally {
    scaleKafka(1);
  }
}

/** More WAL than the server keeps for a slot, and than it writes without a checkpoint. */
async function fillWal(): Promise<void> {
  for (let megabytes = 0; megabytes < 1500; megabytes += 50) {
    await world.postgresQuery(
      `SELECT count(pg_logical_emit_message(false, 'noise', repeat('x', 1048576))) FROM generate_series(1, 50)`,
    );
  }
}

async function slotIsLost(): Promise<boolean> {
  const [slot] = await world.postgresQuery('SELECT wal_status FROM pg_replication_slots');
  return slot?.['wal_status'] === 'lost';
}

describe('a pipeline under steady load', () => {
  before(async () => {
    console.log(`SEED=${seed} KILLS=${kills}`);
    await chaos.start();
  });
  after(() => chaos.stop());

  for (let count = 0; count < kills; count += 1) {
    const kill = chooseKill(count, random);
    test(`is equal after kill ${count + 1}: ${kill.join(' and ')}`, () => chaos.kill(kill));
  }

  for (const [one, other, ms] of CUTS) {
    test(`is equal after ${one} and ${other} were cut apart for ${ms / 1000} s`, () =>
      chaos.cut(one, other, ms));
  }

  test('is equal after a minute without Kafka', async () => {
    await withoutKafka(() => chaos.noteBehind('Kafka away'));
    await chaos.settled('Kafka was away');
  });

  test('is equal after its slot lost WAL that was not read', async () => {
    await withoutKafka(async () => {
      await fillWal();
      await until('the slot to be lost', slotIsLost, 5 * MINUTES);
      await chaos.noteBehind('slot lost');
    });
    await chaos.settled('the slot was lost');
  });

  test('is equal after all users were truncated', async () => {
    await world.postgresQuery('TRUNCATE users');
    await chaos.noteBehind('truncated');
    await chaos.settled('all users were truncated');
  });
});
