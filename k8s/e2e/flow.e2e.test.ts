import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { V1Pod } from '@kubernetes/client-node';
import { KubeClient, loadKubeConfig } from '../../operator/src/kube/client.ts';
import type { Kind } from '../../operator/src/kube/resources.ts';
import type { User } from '../../workers/lib/user.ts';
import { until } from '../../workers/test/wait.ts';
import { KAFKA, OPERATOR, sourceOf, USERS } from './installed.ts';
import { crash } from './kill.ts';
import { kafkaKeys, kafkaTopics } from './stores.ts';
import { differences, servedUsers, type Users } from './users.ts';
import { World } from './world.ts';

const MINUTES = 60_000;

const NO_AMERICANS = "SELECT * FROM users WHERE nationality <> 'US'";

const FIELDS = [
  { name: 'cell', type: 'text', path: 'cell' },
  { name: 'latitude', type: 'double', path: 'location.coordinates.latitude' },
];

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

/** What sets Cassandra apart from Postgres. */
const apart = async () => differences(await world.postgresUsers(), await world.cassandraUsers());

/** Each user's id with his FIELDS, in the order of ids. */
async function fieldsOf(store: 'postgres' | 'cassandra'): Promise<unknown[][]> {
  const rows =
    store === 'postgres'
      ? await world.postgresQuery('SELECT id, cell, latitude FROM users')
      : await world.cassandraQuery('SELECT id, cell, latitude FROM userstream.users');
  return rows.map(({ id, cell, latitude }) => [String(id), cell, latitude]).sort();
}

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
    const users = await servedUsers();
    return users.size >= count ? users : undefined;
  };
  return await until(`the source to have served ${count} users`, complete, 5 * MINUTES);
}

/** Compares what the source says it served with every stage. */
async function compareAll(count: number): Promise<void> {
  const served = await allServed(count);
  await arrived('Postgres', () => world.postgresUsers(), served);
  await arrived('Cassandra', () => world.cassandraUsers(), served);
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
    await world.apply({ source: sourceOf('first', 500) });
    await until('the pipeline to be Ready', () => world.isReady(), 10 * MINUTES);
  });

  test('carries every user to every stage, every field equal', () => compareAll(USERS));

  test('loses nothing when the operator, the relay and the Spark driver are killed while users flow', async () => {
    await world.apply({ source: sourceOf('second', 50) });
    const victims: [string, () => Promise<V1Pod[]>][] = [
      ['operator', () => world.podsBy(OPERATOR.namespace, OPERATOR.selector)],
      ['relay', () => world.pods('relay')],
      [
        'Spark driver',
        async () => (await world.pods('spark')).filter(({ metadata }) => metadata?.name === 'people-spark-0'),
      ],
    ];
    for (const [name, pods] of victims) {
      const before = (await world.postgresUsers()).size;
      const grown = async () => (await world.postgresUsers()).size > before;
      await until(`users to flow before the ${name} is killed`, grown, 2 * MINUTES);
      assert.ok(crashAll(await pods()) > 0, `a process of the ${name} was killed`);
      assert.ok((await servedUsers()).size < 2 * USERS, `users still flowed when the ${name} was killed`);
    }
    await compareAll(2 * USERS);
    await until('the pipeline to be Ready again', () => world.isReady(), 5 * MINUTES);
  });

  test('carries what is changed and deleted in Postgres', async () => {
    const some = (where: string) => `id IN (SELECT id FROM users WHERE ${where} ORDER BY id LIMIT 100)`;
    await world.postgresQuery(
      `UPDATE users SET email = 'changed@example.org', phone = NULL WHERE ${some("nationality = 'DE'")}`,
    );
    await world.postgresQuery(`DELETE FROM users WHERE ${some("nationality = 'FR'")}`);
    await until('Cassandra to equal Postgres', async () => (await apart()).length === 0, 2 * MINUTES);
  });

  test('carries fields that come while users flow, and refuses one of another type', async () => {
    const wish = { source: sourceOf('fields', 50) };
    const before = (await world.postgresUsers()).size;
    await world.apply(wish);
    const grown = (count: number) => async () => (await world.postgresUsers()).size >= before + count;
    await until('users to flow', grown(1), 2 * MINUTES);
    await world.apply({ ...wish, fields: FIELDS });
    await until('the rest of the users', grown(USERS), 5 * MINUTES);
    await until('the pipeline to be Ready with its fields', () => world.isReady(), 5 * MINUTES);
    const filled = (await fieldsOf('postgres')).filter((row) => !row.includes(null));
    assert.ok(filled.length > 0, 'some users came with their fields');
    const same = async () => isDeepStrictEqual(await fieldsOf('cassandra'), await fieldsOf('postgres'));
    await until('the fields in Cassandra to be those in Postgres', same, 2 * MINUTES);
    const other = { ...wish, fields: [{ name: 'cell', type: 'bigint', path: 'cell' }] };
    await assert.rejects(world.apply(other), /the type of a field can't be changed/);
    // Of a field that was taken out only the registry knows the type.
    for (const spec of [wish, other]) await world.apply(spec);
    await until(
      'the other type to be refused',
      () => world.says('SchemaRegistryReady', 'SchemaIncompatible'),
      MINUTES,
    );
    for (const spec of [wish, { ...wish, fields: FIELDS }]) await world.apply(spec);
    await until('the pipeline to be Ready again', () => world.isReady(), 2 * MINUTES);
  });

  test('keeps its data when it is deleted with Retain, and takes it up under a new SQL', async () => {
    await world.apply({ source: sourceOf('second', 50), deletionPolicy: 'Retain' });
    await until('the policy to be seen', () => world.isReady(), 2 * MINUTES);
    const before = await world.postgresUsers();
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
      source: sourceOf('third', 500),
      spark: { executor: { instances: 1 }, sql: NO_AMERICANS },
    });
    await until('the pipeline to be Ready', () => world.isReady(), 10 * MINUTES);
    const all = async () => {
      const users = await world.postgresUsers();
      return users.size === before.size + USERS ? users : undefined;
    };
    const users = await until('the users of another seed', all, 2 * MINUTES);
    const isAmerican = ({ nationality }: User) => nationality === 'US';
    const wanted = new Map([...users].filter(([, user]) => !isAmerican(user)));
    const standing = async () => {
      const found = await world.cassandraUsers();
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
