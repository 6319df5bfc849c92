import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import type { V1Pod, V1StatefulSet } from '@kubernetes/client-node';
import { KubeClient, loadKubeConfig } from '../../operator/src/kube/client.ts';
import type { KubeObject } from '../../operator/src/kube/object.ts';
import { until } from '../../workers/test/wait.ts';
import { sourceOf } from './installed.ts';
import { differences, servedUsers } from './users.ts';
import { World } from './world.ts';

const MINUTES = 60_000;

/** Other suites' pipelines have users of other seeds from the same source. */
const SEED = 'drivers';
const NAMESPACE = 'e2e';
const DRIVER = 'drivers-spark-0';
const OUTLIVER = 'drivers-outliver';
const POD = { apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE };

const client = new KubeClient(loadKubeConfig());
const world = new World(client, NAMESPACE, 'drivers');
after(() => client.close());

const pod = (name: string) => client.get({ ...POD, name }) as Promise<V1Pod | undefined>;

/** What a driver says of itself; undefined while it says nothing. */
async function said(name: string): Promise<{ ready: boolean; reason: string } | undefined> {
  const address = (await pod(name))?.status?.podIP;
  const answer = await fetch(`http://${address}:8080/readyz`).catch(() => undefined);
  return (await answer?.json()) as { ready: boolean; reason: string } | undefined;
}

const kubectl = (...args: string[]) => execFileSync('kubectl', args, { stdio: 'pipe' });

/** Takes the pod out of the API server at once, whatever its processes do. */
const deleteByForce = (name: string) =>
  kubectl('delete', 'pod', name, `--namespace=${NAMESPACE}`, '--grace-period=0', '--force');

/** Spark in the driver's own process: executors find a driver by its Service, which no longer leads to this one. */
const ALONE = {
  name: 'PYSPARK_SUBMIT_ARGS',
  value: '--master local[1] --conf spark.driver.host=127.0.0.1 pyspark-shell',
};

/** A pod with the driver's template and checkpoint that nobody owns: a driver whose pod is known no longer. */
async function startOutliver(): Promise<void> {
  const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace: NAMESPACE, name: 'drivers-spark' };
  const template = ((await client.get(set)) as V1StatefulSet | undefined)?.spec?.template;
  const claim = { name: 'checkpoint', persistentVolumeClaim: { claimName: `checkpoint-${DRIVER}` } };
  const containers = template?.spec?.containers.map((each) => ({
    ...each,
    env: [...(each.env ?? []), ALONE],
  }));
  const spec = { ...template?.spec, containers, volumes: [...(template?.spec?.volumes ?? []), claim] };
  const metadata = { name: OUTLIVER, namespace: NAMESPACE };
  await client.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec } as unknown as KubeObject);
}

/** Waits until `count` users have been served and those have arrived, then compares them; more may be under way. */
async function arrived(count: number): Promise<void> {
  const enough = async () => {
    const users = await servedUsers(SEED);
    return users.size >= count ? users : undefined;
  };
  const served = await until(`${count} users to be served`, enough, 3 * MINUTES);
  const complete = async () => {
    const users = await world.cassandraUsers();
    const found = [...users].filter(([id]) => served.has(id));
    return found.length === served.size ? new Map(found) : undefined;
  };
  const users = await until(`${served.size} users in Cassandra`, complete, 3 * MINUTES);
  assert.deepEqual(differences(served, users).slice(0, 10), []);
}

describe('a Spark driver that outlived its pod', () => {
  before(async () => {
    await world.apply({ source: sourceOf(SEED, 20) });
    await until('the pipeline to be Ready', () => world.isReady(), 10 * MINUTES);
  });
  after(async () => {
    await client.delete({ ...POD, name: OUTLIVER });
    await world.delete();
  });

  test('waits while another holds the checkpoint', async () => {
    await startOutliver();
    const waits = async () => (await said(OUTLIVER))?.reason === 'CheckpointHeld';
    await until('the second driver to wait', waits, 2 * MINUTES);
    await arrived(500);
    assert.equal((await said(OUTLIVER))?.reason, 'CheckpointHeld');
  });

  test('keeps the one that takes its place waiting, and users flow', async () => {
    const node = (await pod(DRIVER))?.spec?.nodeName ?? '';
    kubectl('cordon', node); // until the old one has taken over
    deleteByForce(DRIVER);
    const leads = async () => (await said(OUTLIVER))?.ready;
    await until('the one that has no pod in the StatefulSet to work', leads, 3 * MINUTES);
    kubectl('uncordon', node);
    const waits = async () => (await said(DRIVER))?.reason === 'CheckpointHeld';
    await until('the new driver to wait', waits, 2 * MINUTES);
    const shown = async () =>
      (await world.status()).conditions?.some(
        ({ type, reason }) => type === 'SparkReady' && reason === 'CheckpointHeld',
      );
    await until('the condition to say so', shown, MINUTES);
    await arrived(1_000);
  });

  test('is followed by it as soon as it ends', async () => {
    deleteByForce(OUTLIVER);
    await until('the pipeline to be Ready', () => world.isReady(), 5 * MINUTES);
    assert.equal((await said(DRIVER))?.ready, true);
    await arrived(2_000);
  });
});
