import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { KubeClient, loadKubeConfig } from '../../operator/src/kube/client.ts';
import { until } from '../../workers/test/wait.ts';
import { crash } from './kill.ts';
import { cassandraUsers, kafkaKeys, postgresUsers } from './stores.ts';
import { differences, servedUsers, type Users } from './users.ts';
import { World } from './world.ts';

const SOURCE = 'http://source.source.svc.cluster.local:8080';
const KAFKA = 'kafka.kafka.svc.cluster.local:9092';
const OPERATOR = { namespace: 'userstream-system', selector: 'app.kubernetes.io/name=userstream-operator' };

/** Users of each seed: the limit that the source is deployed with. */
const USERS = Number(process.env['SOURCE_LIMIT']);
const MINUTES = 60_000;

const client = new KubeClient(loadKubeConfig());
const world = new World(client, 'e2e', 'people');
after(() => client.close());

const source = (seed: string, batchSize: number) => ({
  url: `${SOURCE}/api/1.4/`,
  seed,
  batchSize,
  interval: '1s',
  rateLimit: { users: 1_000_000, per: '1s' },
});

const postgres = async () =>
  postgresUsers(await world.address('postgres'), await world.credentials('postgres'));
const cassandra = async () =>
  cassandraUsers(await world.address('cassandra'), await world.credentials('cassandra'));

/** Waits until a stage holds as many users as the source served, then compares every field. */
async function arrived(stage: string, read: () => Promise<Users>, served: Users): Promise<void> {
  const complete = async () => {
    const users = await read();
    return users.size >= served.size ? users : undefined;
  };
  const users = await until(`${served.size} users in ${stage}`, complete, 5 * MINUTES);
  assert.deepEqual(differences(served, users).slice(0, 10), [], `${stage} and the source`);
}

async function allServed(count: number): Promise<Users> {
  const complete = async () => {
    const users = await servedUsers(SOURCE);
    return users.size >= count ? users : undefined;
  };
  return await until(`the source to have served ${count} users`, complete, 5 * MINUTES);
}

/** Compares what the source says it served with every stage. */
async function compareAll(count: number): Promise<void> {
  const served = await allServed(count);
  await arrived('Postgres', postgres, served);
  await arrived('Cassandra', cassandra, served);
  const keys = await kafkaKeys(KAFKA, 'e2e.people.users');
  assert.deepEqual(
    keys.symmetricDifference(new Set(served.keys())),
    new Set(),
    'the keys in Kafka and the source',
  );
}

function crashAll(pods: V1Pod[]): number {
  return pods.map(({ metadata }) => crash(metadata?.uid ?? '')).reduce((sum, killed) => sum + killed, 0);
}

describe('a pipeline', () => {
  before(async () => {
    await world.apply({ source: source('first', 500) });
    await until('the pipeline to be Ready', () => world.isReady(), 10 * MINUTES);
  });

  test('carries every user to every stage, every field equal', () => compareAll(USERS));

  test('loses nothing when the operator, the relay and the Spark driver are killed while users flow', async () => {
    await world.apply({ source: source('second', 50) });
    const victims: [string, () => Promise<V1Pod[]>][] = [
      ['operator', () => world.podsBy(OPERATOR.namespace, OPERATOR.selector)],
      ['relay', () => world.pods('relay')],
      [
        'Spark driver',
        async () => (await world.pods('spark')).filter(({ metadata }) => metadata?.name === 'people-spark-0'),
      ],
    ];
    for (const [name, pods] of victims) {
      const before = (await postgres()).size;
      const grown = async () => (await postgres()).size > before;
      await until(`users to flow before the ${name} is killed`, grown, 2 * MINUTES);
      assert.ok(crashAll(await pods()) > 0, `a process of the ${name} was killed`);
      assert.ok(
        (await servedUsers(SOURCE)).size < 2 * USERS,
        `users still flowed when the ${name} was killed`,
      );
    }
    await compareAll(2 * USERS);
    await until('the pipeline to be Ready again', () => world.isReady(), 5 * MINUTES);
  });
});
