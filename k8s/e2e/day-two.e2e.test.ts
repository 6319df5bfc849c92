import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { KubeClient, loadKubeConfig } from '../../operator/src/kube/client.ts';
import { createExec } from '../../operator/src/kube/exec.ts';
import { nodetool } from '../../operator/src/reconcile/cassandra/node.ts';
import { parseCopies, parseStatus } from '../../operator/src/reconcile/cassandra/ring.ts';
import { readUpkeep } from '../../operator/src/reconcile/cassandra/upkeep.ts';
import { pipelineOf } from '../../operator/src/specs/testing.ts';
import { until } from '../../workers/test/wait.ts';
import { OPERATOR, sourceOf, USERS } from './installed.ts';
import { crash } from './kill.ts';
import { differences, servedUsers } from './users.ts';
import { World } from './world.ts';

const MINUTES = 60_000;

/** Other suites' pipelines have users of other seeds from the same source. */
const SEEDS = { first: 'ring-first', later: 'ring-later' };

const client = new KubeClient(loadKubeConfig());
const world = new World(client, 'e2e', 'ring');
after(() => client.close());

const asked = {
  exec: createExec(loadKubeConfig()),
  pipeline: { ...pipelineOf({}), namespace: world.namespace, name: world.name },
};

const cassandra = (replicas: number, replicationFactor: number) => ({
  replicationFactor,
  managed: {
    replicas,
    storage: { size: '1Gi' },
    resources: { requests: { cpu: '50m', memory: '512Mi' }, limits: { memory: '1536Mi' } },
  },
});

/** Users of the second seed trickle in while the ring changes. */
const want = (replicas: number, replicationFactor: number) =>
  world.apply({ source: sourceOf(SEEDS.later, 10), cassandra: cassandra(replicas, replicationFactor) });

const ring = async () => parseStatus(await nodetool(asked, 0, 'status'));
const copies = async () => parseCopies(await nodetool(asked, 0, 'describecluster')).get('userstream');

async function upkeep() {
  const ref = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: world.namespace,
    name: `${world.name}-cassandra`,
  };
  const found = await client.get(ref);
  return readUpkeep(found?.metadata.annotations, { nodes: 0, copies: 0 });
}

async function condition() {
  const { conditions = [] } = await world.status();
  return conditions.find(({ type }) => type === 'CassandraReady');
}

const ready = () => until('the pipeline to be Ready', () => world.isReady(), 12 * MINUTES);

/** Waits until all that the source has served by now is in Cassandra, and compares every field. */
async function compare(): Promise<void> {
  const served = await servedUsers(SEEDS.first, SEEDS.later);
  const all = async () => {
    const users = await world.cassandraUsers();
    return [...served.keys()].every((id) => users.has(id)) ? users : undefined;
  };
  const users = await until(`${served.size} users in Cassandra`, all, 5 * MINUTES);
  const arrived = new Map([...users].filter(([id]) => served.has(id)));
  assert.deepEqual(differences(served, arrived).slice(0, 10), []);
  const standing = await world.postgresUsers();
  assert.ok(
    [...served.keys()].every((id) => standing.has(id)),
    'and in Postgres',
  );
}

describe('a ring that is changed while users flow', () => {
  before(async () => {
    await world.apply({ source: sourceOf(SEEDS.first, 500), cassandra: cassandra(1, 1) });
    await ready();
    await until(
      'the users of the first seed',
      async () => (await servedUsers(SEEDS.first)).size >= USERS,
      2 * MINUTES,
    );
    await compare();
  });

  test('grows from one node to three, and the rows are copied to a second one', async () => {
    await want(3, 2);
    await ready();
    assert.deepEqual(
      (await ring()).map(({ up, state }) => [up, state]),
      [1, 2, 3].map(() => [true, 'Normal']),
    );
    assert.equal(await copies(), 2);
    const { nodes, copies: filled, repairedAt, task } = await upkeep();
    assert.deepEqual([nodes, filled, task], [3, 2, undefined]);
    assert.ok(repairedAt, 'it was repaired');
    await compare();
  });

  test('copies the rows to every node', async () => {
    const before = (await upkeep()).repairedAt ?? '';
    await want(3, 3);
    await until('the repair to be over', async () => (await upkeep()).copies === 3, 8 * MINUTES);
    await ready();
    assert.equal(await copies(), 3);
    assert.ok(((await upkeep()).repairedAt ?? '') > before, 'it was repaired again');
  });

  test('lets a node go with its volume, though the operator is killed in the middle', async () => {
    await want(2, 2);
    const leaves = async () => (await condition())?.reason === 'Decommissioning';
    await until('a node to leave', leaves, 5 * MINUTES);
    for (const pod of await world.podsBy(OPERATOR.namespace, OPERATOR.selector))
      crash(pod.metadata?.uid ?? '');
    await until('two nodes', async () => (await world.pods('cassandra')).length === 2, 8 * MINUTES);
    await ready();
    const volumes = await world.objects([{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' }]);
    assert.deepEqual(
      volumes.filter((name) => name.includes('cassandra')),
      [0, 1].map((ordinal) => `PersistentVolumeClaim/data-${world.name}-cassandra-${ordinal}`),
    );
    assert.equal((await ring()).length, 2);
    assert.equal(await copies(), 2);
    await compare();
  });
});
