import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { KubeClient, loadKubeConfig } from '../../operator/src/kube/client.ts';
import type { Kind } from '../../operator/src/kube/resources.ts';
import type { User } from '../../workers/lib/user.ts';
import { until } from '../../workers/test/wait.ts';
import { crash } from './kill.ts';
import { cassandraUsers, kafkaKeys, kafkaTopics, postgresQuery, postgresUsers } from './stores.ts';
import { differences, servedUsers, type Users } from './users.ts';
import { World } from './world.ts';

const SOURCE = 'http://source.source.svc.cluster.local:8080';
const KAFKA = 'kafka.kafka.svc.cluster.local:9092';
const OPERATOR = { namespace: 'userstream-system', selector: 'app.kubernetes.io/name=userstream-operator' };

/** Users of each seed: the limit that the source is deployed with. */
const USERS = Number(process.env['SOURCE_LIMIT']);
const MINUTES = 60_000;

const NO_AMERICANS = "SELECT * FROM users WHERE nationality <> 'US'";

const POD: Kind = { apiVersion: 'v1', kind: 'Pod' };
const VOLUME: Kind = { apiVersion: 'v1', kind: 'PersistentVolumeClaim' };
const SECRET: Kind = { apiVersion: 'v1', kind: 'Secret' };
const OWNED: Kind[] = [
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'v1', kind: 'ServiceAccount' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'batch/v1', kind: 'Job' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding' },
];

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

/** What sets Cassandra apart from Postgres. */
const apart = async () => differences(await postgres(), await cassandra());

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

  test('carries what is changed and deleted in Postgres', async () => {
    const run = async (statement: string) =>
      postgresQuery(await world.address('postgres'), await world.credentials('postgres'), statement);
    const some = (where: string) => `id IN (SELECT id FROM users WHERE ${where} ORDER BY id LIMIT 100)`;
    await run(
      `UPDATE users SET email = 'changed@example.org', phone = NULL WHERE ${some("nationality = 'DE'")}`,
    );
    await run(`DELETE FROM users WHERE ${some("nationality = 'FR'")}`);
    await until('Cassandra to equal Postgres', async () => (await apart()).length === 0, 2 * MINUTES);
  });

  test('keeps its data when it is deleted with Retain, and takes it up under a new SQL', async () => {
    await world.apply({ source: source('second', 50), deletionPolicy: 'Retain' });
    await until('the policy to be seen', () => world.isReady(), 2 * MINUTES);
    const before = await postgres();
    await world.delete();
    await until('the pipeline to be gone', async () => !(await world.get()), 2 * MINUTES);
    await until('its pods to be gone', async () => (await world.objects([POD])).length === 0, 2 * MINUTES);
    assert.deepEqual(await world.objects([VOLUME, SECRET]), [
      'PersistentVolumeClaim/checkpoint-people-spark-0',
      'PersistentVolumeClaim/data-people-cassandra-0',
      'PersistentVolumeClaim/data-people-postgres-0',
      'Secret/people-cassandra',
      'Secret/people-postgres',
    ]);
    await world.apply({
      source: source('third', 500),
      spark: { executor: { instances: 1 }, sql: NO_AMERICANS },
    });
    await until('the pipeline to be Ready', () => world.isReady(), 10 * MINUTES);
    const all = async () => {
      const users = await postgres();
      return users.size === before.size + USERS ? users : undefined;
    };
    const users = await until('the users of another seed', all, 2 * MINUTES);
    const isAmerican = ({ nationality }: User) => nationality === 'US';
    const wanted = new Map([...users].filter(([, user]) => !isAmerican(user)));
    const standing = async () => {
      const found = await cassandra();
      // Americans of before may stay: a changed SQL is for the records that follow, and for those that are sent again.
      const past = [...found].filter(([id, user]) => isAmerican(user) && before.has(id)).map(([id]) => id);
      return new Map([...found].filter(([id]) => !past.includes(id)));
    };
    const complete = async () => (await standing()).size >= wanted.size;
    await until('Cassandra to hold what the SQL lets pass', complete, 2 * MINUTES);
    assert.deepEqual(differences(wanted, await standing()).slice(0, 10), []);
  });

  test('leaves nothing when it is deleted with Delete', async () => {
    await world.delete();
    await until('the pipeline to be gone', async () => !(await world.get()), 2 * MINUTES);
    const left = () => world.objects([POD, VOLUME, SECRET, ...OWNED]);
    await until('its objects to be gone', async () => (await left()).length === 0, 2 * MINUTES);
    assert.deepEqual(
      (await kafkaTopics(KAFKA)).filter((name) => name.startsWith('e2e.people')),
      [],
    );
  });
});
