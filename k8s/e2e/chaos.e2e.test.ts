import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { KubeClient, loadKubeConfig } from '../../operator/src/kube/client.ts';
import { seedOf } from '../../operator/test/faults/play.ts';
import { Random } from '../../operator/test/faults/random.ts';
import { until } from '../../workers/test/wait.ts';
import { cut } from './cut.ts';
import { KAFKA, sourceOf } from './installed.ts';
import { crash } from './kill.ts';
import { Load } from './load.ts';
import { processesOf } from './processes.ts';
import { kafkaKeys } from './stores.ts';
import { differences, type Users } from './users.ts';
import { World } from './world.ts';

const MINUTES = 60_000;
const TOPIC = 'e2e.chaos.users';
/** Longer than any timeout between two stages. */
const CUT_MS = 60_000;

const seed = seedOf(process.env);
const kills = Number(process.env['KILLS'] ?? 50);
const random = new Random(`${seed}`);

const SPEC = {
  source: sourceOf('chaos', 5),
  relay: { replicas: 1 },
  postgres: { managed: { storage: { size: '1Gi' }, maxSlotWalKeepSize: '256Mi' } },
};

const client = new KubeClient(loadKubeConfig());
const world = new World(client, 'e2e', 'chaos');
const load = new Load(world);
after(() => client.close());

type Find = () => Promise<V1Pod[]>;

const spark = (isDriver: boolean) => async () =>
  (await world.pods('spark')).filter(({ metadata }) => metadata?.name?.endsWith('-spark-0') === isDriver);

const PODS: Record<string, Find> = {
  ingest: () => world.pods('ingest'),
  relay: () => world.pods('relay'),
  broker: () => world.podsBy('kafka', 'app.kubernetes.io/name=kafka'),
  registry: () => world.pods('registry'),
  'Spark driver': spark(true),
  'Spark executor': spark(false),
  Cassandra: () => world.pods('cassandra'),
  Postgres: () => world.pods('postgres'),
};

const PAIRS: [one: string, other: string][] = [
  ['ingest', 'Postgres'],
  ['relay', 'Postgres'],
  ['relay', 'broker'],
  ['Spark driver', 'broker'],
  ['Spark executor', 'broker'],
  ['Spark executor', 'Cassandra'],
  ['Spark driver', 'registry'],
  ['Spark driver', 'Spark executor'],
];

/** What was done to the pipeline, and how many users were under way then. */
const done: { what: string; unacknowledged: number }[] = [];

function note(what: string, unacknowledged: number): void {
  done.push({ what, unacknowledged });
}

/** The users of Postgres that don't stand in Cassandra as they are. */
async function behind(): Promise<number> {
  const [wanted, present] = await Promise.all([world.postgresUsers(), world.cassandraUsers()]);
  return differences(wanted, present).length;
}

/** What sets Cassandra apart from `wanted`; users that came to Postgres since then may stand there as well. */
async function apart(wanted: Users): Promise<string[]> {
  const present = await world.cassandraUsers();
  const since = await world.postgresUsers();
  const known = [...present].filter(([id]) => wanted.has(id) || !since.has(id));
  return differences(wanted, new Map(known));
}

/** Waits, without load, until Cassandra equals Postgres to the field; nothing may have been put aside. */
async function settled(what: string): Promise<void> {
  await load.stop();
  const wanted = await until(
    'Postgres to answer',
    () => world.postgresUsers().catch(() => undefined),
    3 * MINUTES,
  );
  let found: string[] = [];
  const equal = async () => {
    found = await apart(wanted).catch((error: Error) => [error.message]);
    return found.length === 0;
  };
  await until(`Cassandra to equal Postgres after ${what}`, equal, 5 * MINUTES).catch((error: Error) => {
    throw new Error(`${error.message}; apart: ${found.slice(0, 10).join('; ')}`);
  });
  assert.deepEqual(await kafkaKeys(KAFKA, `${TOPIC}.dead-letter`), new Set(), 'dead letters');
  load.start();
}

/** A running pod, once there is one. */
function one(name: string): Promise<V1Pod> {
  const running = async () => {
    const pods = (await PODS[name]?.()) ?? [];
    return pods.find(({ metadata }) => processesOf(metadata?.uid ?? '').length > 0);
  };
  return until(`a running pod of ${name}`, running, 3 * MINUTES);
}

/** Kills a pod's processes while some users are under way. @returns how many were */
async function killWhileBehind(victim: string): Promise<number> {
  const { metadata } = await one(victim);
  const unacknowledged = await until(`work to be under way before ${victim} is killed`, behind, MINUTES);
  await sleep(random.below(500));
  assert.ok(crash(metadata?.uid ?? '') > 0, `no process of ${victim} was killed`);
  return unacknowledged;
}

const kubectl = (...args: string[]) => execFileSync('kubectl', args, { stdio: 'pipe' });

const scaleKafka = (replicas: number) =>
  kubectl('scale', 'statefulset/kafka', '--namespace=kafka', `--replicas=${replicas}`);

/** Waits until a minute has passed without Kafka, does `meanwhile`, and brings Kafka back. */
async function withoutKafka(meanwhile: () => Promise<void>): Promise<void> {
  scaleKafka(0);
  await sleep(CUT_MS);
  await meanwhile();
  scaleKafka(1);
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
    await world.apply(SPEC);
    await until('the pipeline to be Ready', () => world.isReady(), 10 * MINUTES);
    load.start();
  });
  after(async () => {
    await load.stop();
    await world.delete();
    console.table(done);
  });

  for (let count = 0; count < kills; count += 1) {
    const victim = Object.keys(PODS)[count % Object.keys(PODS).length] ?? '';
    test(`is equal after kill ${count + 1}: ${victim}`, async () => {
      note(`${victim} killed`, await killWhileBehind(victim));
      const { committed } = load;
      await until('load to go on', () => load.committed >= committed + 20, 2 * MINUTES);
      await settled(`${victim} was killed`);
    });
  }

  for (const [name, other] of PAIRS) {
    test(`is equal after ${name} and ${other} were cut apart for a minute`, async () => {
      const mend = cut(await one(name), await one(other));
      await sleep(CUT_MS);
      note(`${name} and ${other} cut apart`, await behind());
      mend();
      await settled(`${name} and ${other} were cut apart`);
    });
  }

  test('is equal after a minute without Kafka', async () => {
    await withoutKafka(async () => note('Kafka away', await behind()));
    await settled('Kafka was away');
  });

  test('is equal after its slot lost WAL that was not read', async () => {
    await withoutKafka(async () => {
      await fillWal();
      await until('the slot to be lost', slotIsLost, 5 * MINUTES);
      note('slot lost', await behind());
    });
    await settled('the slot was lost');
  });
});
