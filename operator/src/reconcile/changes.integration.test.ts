import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { V1JobSpec, V1StatefulSet } from '@kubernetes/client-node';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { NAMESPACE, serve } from '../../test/pipelines.ts';
import { Scene, saying } from '../../test/scene.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import { type Component, labels } from '../specs/meta.ts';
import { IMAGES } from '../specs/testing.ts';
import type { Report } from '../status/reports.ts';

const STEPS = ['postgres', 'cassandra', 'registry', 'spark', 'relay', 'ingest', 'audit'];

describe('a pipeline that changes, on a real API server', () => {
  let server: ApiServer;

  before(async () => {
    server = await startApiServer();
    await serve(server);
  });
  after(() => server?.stop());

  /** A pipeline all of whose workloads are as they should be. */
  async function running(name: string, spec: Record<string, unknown> = {}): Promise<Scene> {
    const scene = new Scene(server.adminClient, name);
    await scene.run(spec);
    return scene;
  }

  /** A pod that was evicted: it stays as an object, and nobody deletes it. */
  async function evict(name: string, component: Component): Promise<void> {
    const namespace = NAMESPACE;
    const metadata = { namespace, name: `${name}-evicted`, labels: labels({ namespace, name }, component) };
    const spec = { containers: [{ name: 'main', image: 'none' }], automountServiceAccountToken: false };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec };
    await server.adminClient.create(pod);
    await server.adminClient.mergePatch(
      refOf(pod),
      { status: { phase: 'Failed', reason: 'Evicted' } },
      { subresource: 'status' },
    );
  }

  test('says once when there may be data, and tells of each transition', async () => {
    const told: string[] = [];
    const record = (_: KubeObject, { reason }: { reason: string }) => void told.push(reason);
    const scene = new Scene(server.adminClient, 'told-of');
    await scene.apply();
    await scene.reconcile({ record });
    assert.deepEqual(told.slice(0, 2), ['PostgresStarting', 'KafkaReady']);
    assert.equal((await scene.status()).dataSince, undefined);
    await scene.provisioned();
    await scene.reconcile({ now: () => new Date('2026-01-01T00:00:00Z') });
    await scene.reconcile();
    assert.equal((await scene.status()).dataSince, '2026-01-01T00:00:00Z');
  });

  test('fills no store before it is said that there may be data', async () => {
    const scene = new Scene(server.adminClient, 'unsaid');
    await scene.apply();
    await scene.reconcile();
    await scene.provisioned();
    const now = () => {
      throw new Error('no status can be written');
    };
    await assert.rejects(scene.reconcile({ now }), /no status can be written/);
    assert.equal(await scene.workload('spark'), undefined);
    assert.equal(await scene.workload('ingest'), undefined);
    await scene.reconcile();
    assert.ok(await scene.workload('ingest'));
  });

  test('is provisioned again where a slot is lost, and not for what a worker has yet to see', async () => {
    const scene = await running('lost');
    const provisioned = async () => (await scene.job())?.metadata.uid;
    const before = await provisioned();
    const missing = {
      ready: false,
      stage: 'Postgres',
      reason: 'SlotMissing',
      message: '',
      figures: {},
    } as const;
    const missed = (time: string) =>
      scene.reconcile({ readReports: async () => [missing], now: () => new Date(time) });
    await missed('2026-01-01T00:00:30Z');
    assert.equal(await provisioned(), before);
    await missed('2026-01-01T00:02:00Z');
    await scene.reconcile();
    assert.notEqual(await provisioned(), before);
  });

  test('rolls one stage after the other when the operator brings new images', async () => {
    const scene = await running('rolled');
    const images = Object.fromEntries(Object.entries(IMAGES).map(([name, image]) => [name, `${image}.1`]));
    const generations = () =>
      Promise.all(STEPS.map(async (name) => (await scene.workload(name))?.metadata.generation));
    const rolled: string[][] = [];
    for (const _ of STEPS) {
      const before = await generations();
      await scene.reconcile({ images: images as typeof IMAGES });
      const now = await generations();
      rolled.push(STEPS.filter((_, index) => now[index] !== before[index]));
      await scene.settle();
      await scene.provisioned();
    }
    assert.deepEqual(
      rolled,
      STEPS.map((step) => [step]),
    );
  });

  test('leaves Postgres at the major version of its data, whoever asks for another, and the rest goes on', async () => {
    const scene = await running('major');
    const image = async () => {
      const { spec } = ((await scene.workload('postgres')) ?? {}) as unknown as V1StatefulSet;
      return spec?.template.spec?.containers[0]?.image;
    };
    const newer = { ...IMAGES, postgres: 'postgres:17', workers: 'userstream/workers:2' };
    await scene.reconcile({ images: newer });
    assert.equal(await image(), IMAGES.postgres);
    assert.equal(await scene.reason(), 'PostgresMajorVersion');
    const rolled = (await scene.job())?.['spec'] as V1JobSpec;
    assert.equal(rolled.template.spec?.containers[0]?.image, newer.workers);

    await scene.apply({ postgres: { managed: { image: 'postgres:17', maxSlotWalKeepSize: '3Gi' } } });
    const before = (await scene.workload('postgres'))?.metadata.generation;
    await scene.reconcile();
    assert.equal(await image(), IMAGES.postgres);
    assert.notEqual((await scene.workload('postgres'))?.metadata.generation, before, 'the rest is applied');

    const set = await scene.workload('postgres');
    assert.ok(set);
    await server.adminClient.delete(refOf(set));
    await scene.reconcile();
    assert.notEqual((await scene.workload('postgres'))?.metadata.uid, set.metadata.uid);
    assert.equal(await image(), IMAGES.postgres, 'also where its StatefulSet was deleted');
    await scene.apply({});
    await scene.settle();
    await scene.reconcile();
    assert.doesNotMatch((await scene.reason()) ?? '', /^PostgresMajorVersion/);
  });

  test('corrects a stage that is broken while one before it rolls and provisioning is open', async () => {
    const scene = await running('corrected');
    const driver = await scene.workload('spark');
    assert.ok(driver);
    await scene.report(driver, 0);
    const resources = { limits: { memory: '3Gi' } };
    await scene.apply({
      postgres: { managed: { maxSlotWalKeepSize: '5Gi' } },
      spark: { driver: { resources } },
    });
    await scene.reconcile({ images: { ...IMAGES, workers: 'userstream/workers:2' } });
    assert.equal(await scene.reason(), 'PostgresRolling');
    assert.notEqual((await scene.workload('spark'))?.metadata.generation, driver.metadata.generation);
  });

  test('stops once all that was fetched has arrived when it is suspended, and goes on afterwards', async () => {
    const scene = await running('pausing');
    let time = Date.now();
    let reports: Report[] = [];
    const turn = async (seconds = 1) => {
      time += seconds * 1000;
      await scene.reconcile({ now: () => new Date(time), readReports: async () => reports });
      await scene.settle();
    };
    const seen = async () => {
      const replicas = await Promise.all(['ingest', 'relay', 'spark'].map((name) => scene.replicas(name)));
      return [...replicas, await scene.reason()];
    };

    await evict('pausing', 'ingest');
    await scene.apply({ suspend: true });
    await turn();
    assert.deepEqual(await seen(), [0, 2, 1, 'Draining'], 'ingest stops first');
    await turn();
    reports = [saying({ relayedForMs: 60_000 }), saying({ readToEndAgoMs: 5_000 })];
    await turn(15);
    assert.deepEqual(await seen(), [0, 2, 1, 'Draining'], 'Spark looked too long ago');
    await turn(15);
    reports = [];
    await turn();
    assert.deepEqual(await seen(), [0, 2, 0, 'Suspended']);

    await scene.apply({ suspend: false });
    for (const _ of ['spark', 'ingest', 'all']) await turn();
    assert.deepEqual(await seen(), [1, 2, 1, 'Running']);
  });

  test('goes on to drain where Spark’s StatefulSet is gone, and lets Spark end where nothing is left to do', async () => {
    const scene = await running('draining');
    const spark = async () => [await scene.replicas('spark'), await scene.reason()];
    const lose = async () => {
      const set = await scene.workload('spark');
      assert.ok(set);
      await server.adminClient.delete(refOf(set));
      await scene.reconcile();
    };
    await scene.apply({ suspend: true });
    await scene.reconcile();
    await lose();
    assert.deepEqual(await spark(), [1, 'Draining'], 'users are still under way');

    await scene.settle();
    await scene.reconcile();
    const reports = [saying({ relayedForMs: 60_000 }), saying({ readToEndAgoMs: 0 })];
    const now = () => new Date(Date.now() + 60_000);
    for (const _ of ['ended', 'gone']) {
      await scene.reconcile({ now, readReports: async () => reports });
      await scene.settle();
    }
    assert.deepEqual(await spark(), [0, 'Suspended']);
    await lose();
    assert.equal(await scene.replicas('spark'), 0, 'it was told to be drained');
  });

  test('begins no Spark where it was suspended from the start', async () => {
    const scene = new Scene(server.adminClient, 'asleep');
    await scene.apply({ suspend: true });
    await scene.reconcile();
    await scene.provisioned();
    await scene.reconcile();
    assert.equal(await scene.replicas('spark'), 0);
  });

  test('stops to fetch when it is suspended although its Secret is gone', async () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: NAMESPACE, name: 'db' } };
    const data = { username: 'dQ==', password: 'cA==' };
    await server.adminClient.apply({ ...secret, data }, { fieldManager: 'test' });
    const spec = { postgres: { external: { host: 'db.example', secretRef: { name: 'db' } } } };
    const scene = await running('secretless', spec);
    await server.adminClient.delete(refOf(secret));
    await scene.apply({ ...spec, suspend: true });
    await scene.reconcile();
    assert.equal(await scene.replicas('ingest'), 0);
    assert.equal(await scene.reason(), 'PostgresSecretMissing');
  });
});
