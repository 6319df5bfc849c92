import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { NAMESPACE, serve } from '../../test/pipelines.ts';
import { Scene } from '../../test/scene.ts';
import { serveStrimzi } from '../../test/strimzi.ts';
import { KubeClient, loadKubeConfig } from '../kube/client.ts';
import { CONFIG_MAP, JOB, POD, STATEFUL_SET } from '../kube/kinds.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import { componentSelector, labels } from '../specs/meta.ts';
import { KAFKA_TOPIC } from './owned.ts';
import { refTo } from './pipeline-object.ts';

const MINUTE = 60_000;
const later = (minutes: number) => ({ now: () => new Date(Date.now() + minutes * MINUTE) });

describe('taking a deleted pipeline apart, on a real API server', () => {
  let server: ApiServer;

  before(async () => {
    server = await startApiServer();
    await serve(server);
  });
  after(() => server?.stop());

  /** A pipeline that was made, and then deleted. */
  async function deleted(name: string, spec: Record<string, unknown> = {}): Promise<Scene> {
    const scene = new Scene(server.adminClient, name);
    await scene.apply(spec);
    await scene.reconcile();
    await scene.delete();
    return scene;
  }

  /** A pipeline whose stores may hold data. */
  async function withData(name: string, spec: Record<string, unknown>): Promise<Scene> {
    const scene = new Scene(server.adminClient, name);
    await scene.apply(spec);
    const status = { dataSince: '2026-01-01T00:00:00Z' };
    const ref = refTo({ namespace: NAMESPACE, name });
    await server.adminClient.mergePatch(ref, { status }, { subresource: 'status' });
    return scene;
  }

  const teardownOf = async (name: string) => {
    const labelSelector = componentSelector(name, 'provision');
    const { items } = await server.adminClient.list(JOB, { namespace: NAMESPACE, labelSelector });
    const jobs = items.filter(({ metadata }) => metadata.name.startsWith(`${name}-teardown-`));
    assert.ok(jobs.length <= 1);
    return jobs[0];
  };

  /** The condition Ready in a line. */
  const told = async (scene: Scene) => {
    const { conditions = [] } = await scene.status();
    const [ready, reconciling] = ['Ready', 'Reconciling'].map((name) =>
      conditions.find(({ type }) => type === name),
    );
    return `${ready?.status} ${reconciling?.status} ${ready?.reason} ${ready?.message}`;
  };

  test('lets it go when nothing outside is left to undo', async () => {
    const scene = await deleted('gone');
    await scene.reconcile();
    assert.equal(await scene.version(), undefined);
  });

  test('lets it go although its hands are off', async () => {
    const scene = new Scene(server.adminClient, 'off');
    await scene.apply();
    await scene.reconcile();
    await scene.annotate({ 'userstream.dev/reconcile': 'disabled' });
    await scene.delete();
    await scene.reconcile();
    assert.equal(await scene.version(), undefined);
  });

  test('undoes topics in an existing Kafka before it lets one go that keeps nothing', async () => {
    const scene = await deleted('topics', { deletionPolicy: 'Delete' });
    await scene.reconcile();
    const job = await teardownOf('topics');
    assert.equal(job?.metadata.ownerReferences?.[0]?.kind, 'UserStreamPipeline', 'it goes with it');
    const config = await server.adminClient.get({
      ...CONFIG_MAP,
      namespace: NAMESPACE,
      name: 'topics-teardown',
    });
    assert.equal(
      config?.metadata.ownerReferences?.[0]?.uid,
      job?.metadata.uid,
      'and takes what it reads along',
    );
    assert.match(
      await told(scene),
      /^False True Terminating .*Job topics-teardown-\w+ undoes .*finalizers":null/,
    );
    const version = await scene.version();
    await scene.reconcile();
    assert.equal(await scene.version(), version, 'told once');
    await scene.provisioned();
    await scene.reconcile();
    assert.equal(await scene.version(), undefined);
    assert.equal(
      (await teardownOf('topics'))?.metadata.deletionTimestamp,
      undefined,
      'left to the garbage collector',
    );
  });

  test('begins no teardown again that is done, whatever has become of its Secret', async () => {
    const { adminClient } = server;
    const metadata = { namespace: NAMESPACE, name: 'login' };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata };
    await adminClient.create({ ...secret, data: { username: 'dQ==', password: 'cA==' } });
    const authentication = { type: 'plain', secretRef: { name: 'login' } };
    const external = { bootstrapServers: 'kafka:9092', authentication };
    const scene = await deleted('once', { deletionPolicy: 'Delete', kafka: { external } });
    await scene.reconcile();
    const job = await teardownOf('once');
    await scene.provisioned();
    await adminClient.delete(refOf(secret));
    await scene.reconcile({ record: () => assert.fail('nothing is left over') });
    assert.equal(await scene.version(), undefined);
    assert.equal((await teardownOf('once'))?.metadata.uid, job?.metadata.uid);
  });

  test('undoes nothing that another pipeline holds', async () => {
    const kafka = { external: { bootstrapServers: 'kafka:9092' }, topic: { name: 'shared' } };
    await withData('holder', { kafka });
    const scene = await deleted('intruder', { deletionPolicy: 'Delete', kafka });
    const events: string[] = [];
    await scene.reconcile({ record: (_, { message }) => void events.push(message) });
    assert.equal(await scene.version(), undefined);
    assert.equal(await teardownOf('intruder'), undefined);
    assert.match(events.join(), /topic shared at kafka\.team\.svc:9092 is held by the pipeline team\/holder/);
  });

  test('undoes nothing that another pipeline has data in, though that one is younger', async () => {
    const kafka = { external: { bootstrapServers: 'old:9092' }, topic: { name: 'both' } };
    const spec = { deletionPolicy: 'Delete', kafka };
    const older = await withData('older', spec);
    await sleep(1_000);
    await withData('younger', spec);
    await older.reconcile();
    await older.delete();
    const events: string[] = [];
    await older.reconcile({ record: (_, { message }) => void events.push(message) });
    assert.equal(await teardownOf('older'), undefined);
    assert.match(events.join(), /topic both at old\.team\.svc:9092 is held by the pipeline team\/younger/);
  });

  test('begins a teardown anew whose credentials are corrected', async () => {
    const { adminClient } = server;
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: NAMESPACE, name: 'wrong' } };
    const data = { username: 'dQ==', password: 'cA==' };
    await adminClient.create({ ...secret, data });
    const authentication = { type: 'plain', secretRef: { name: 'wrong' } };
    const external = { bootstrapServers: 'kafka:9092', authentication };
    const scene = await deleted('corrected', { deletionPolicy: 'Delete', kafka: { external } });
    await scene.reconcile();
    const job = await teardownOf('corrected');
    await adminClient.mergePatch(refOf(secret), { data: { password: 'cQ==' } });
    await scene.reconcile();
    assert.notEqual((await teardownOf('corrected'))?.metadata.name, job?.metadata.name);
  });

  test('does not take the teardown of an earlier pipeline of its name for its own', async () => {
    const first = await deleted('again', { deletionPolicy: 'Delete' });
    await first.reconcile();
    await first.provisioned();
    await first.reconcile();
    const done = await teardownOf('again');
    const second = await deleted('again', { deletionPolicy: 'Delete' });
    await second.reconcile();
    assert.notEqual((await teardownOf('again'))?.metadata.uid, done?.metadata.uid);
    assert.ok(await second.version());
  });

  test('keeps its teardown from the garbage collector that takes what it owns first', async () => {
    const scene = await deleted('foreground', { deletionPolicy: 'Delete' });
    await server.adminClient.delete(
      {
        apiVersion: 'userstream.dev/v1alpha1',
        kind: 'UserStreamPipeline',
        namespace: NAMESPACE,
        name: 'foreground',
      },
      { propagationPolicy: 'Foreground' },
    );
    await scene.reconcile();
    assert.equal((await teardownOf('foreground'))?.metadata.ownerReferences, undefined);
    await scene.provisioned();
    await scene.reconcile();
    assert.equal(await teardownOf('foreground'), undefined);
  });

  test('is not kept from the teardown by a KafkaTopic that someone else holds', async () => {
    const { adminClient } = server;
    await serveStrimzi(server);
    const db = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: NAMESPACE, name: 'db' } };
    await adminClient.apply(
      { ...db, data: { username: 'dQ==', password: 'cA==' } },
      { fieldManager: 'test' },
    );
    const scene = await deleted('held', {
      kafka: { strimzi: {} },
      postgres: { external: { host: 'db.example', secretRef: { name: 'db' } } },
    });
    const { items } = await adminClient.list(KAFKA_TOPIC, { namespace: NAMESPACE });
    assert.ok(items.length > 0);
    for (const topic of items) {
      await adminClient.mergePatch(refOf(topic), { metadata: { finalizers: ['userstream.dev/test'] } });
      await adminClient.delete(refOf(topic));
    }
    await scene.reconcile();
    assert.ok(await teardownOf('held'));
  });

  test('gives a teardown up that has not succeeded within five minutes, and says so', async () => {
    const scene = await deleted('hopeless', { deletionPolicy: 'Delete' });
    await scene.reconcile();
    const events: string[] = [];
    const record = (_: KubeObject, { reason, message }: { reason: string; message: string }) =>
      void events.push(`${reason}: ${message}`);
    await scene.reconcile({ ...later(6), record });
    assert.equal(await scene.version(), undefined);
    assert.match(events.join(), /LeftOver: .*Job hopeless-teardown-\w+ did not succeed within five minutes/);
  });

  test('ends the pods of a StatefulSet that was to be made anew', async () => {
    const { adminClient } = server;
    const scene = await deleted('replaced');
    await adminClient.delete({ ...STATEFUL_SET, namespace: NAMESPACE, name: 'replaced-postgres' });
    const own = labels({ namespace: NAMESPACE, name: 'replaced' }, 'postgres');
    const pod = (name: string, podName: string) => ({
      ...POD,
      metadata: {
        namespace: NAMESPACE,
        name,
        labels: { ...own, 'statefulset.kubernetes.io/pod-name': podName },
      },
      spec: { containers: [{ name: 'main', image: 'none' }], automountServiceAccountToken: false },
    });
    const left = await adminClient.create(pod('replaced-postgres-0', 'replaced-postgres-0'));
    const strangers = await adminClient.create(pod('a-copy', 'replaced-postgres-0'));
    await scene.reconcile();
    assert.ok(await scene.version(), 'waits for them');
    assert.equal(await adminClient.get(refOf(left)), undefined);
    assert.ok(await adminClient.get(refOf(strangers)));
    await scene.reconcile();
    assert.equal(await scene.version(), undefined);
  });

  test('is given its time though the clock here is ahead by more than that', async () => {
    const scene = await deleted('early', { deletionPolicy: 'Delete' });
    const hour = 60 * MINUTE;
    const client = new KubeClient(loadKubeConfig(server.kubeconfig), { now: () => Date.now() + hour });
    for (const _ of [1, 2]) await scene.reconcile({ client, ...later(60) });
    client.close();
    assert.ok(await teardownOf('early'), 'and is not given up');
    assert.ok(await scene.version());
  });

  for (const component of ['ingest', 'audit'] as const)
    test(`waits for the pods of ${component} to end, but not for ever`, async () => {
      const key = { namespace: NAMESPACE, name: `lingering-${component}` };
      const scene = await deleted(key.name, { deletionPolicy: 'Delete' });
      const metadata = { ...key, name: `${key.name}-x`, labels: labels(key, component) };
      const spec = { containers: [{ name: 'main', image: 'none' }], automountServiceAccountToken: false };
      await server.adminClient.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
      await scene.reconcile(later(20));
      assert.match(await told(scene), /^False True Terminating .*the pods of ingest, .* end/);
      await scene.reconcile(later(24));
      assert.equal(await teardownOf(key.name), undefined, 'a pod is still at work');
      await scene.reconcile(later(26));
      assert.equal(await scene.version(), undefined, 'it has had its time');
    });

  test('gives up what the API server refuses ten minutes after the first look, however long the operator was away', async () => {
    const scene = await deleted('refused', { deletionPolicy: 'Delete' });
    const foreign = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: NAMESPACE, name: 'refused-teardown' },
    };
    await server.adminClient.create(foreign);
    await scene.reconcile(later(20));
    assert.match(await told(scene), /^False True Terminating .*ConfigMap refused-teardown exists/);
    await scene.reconcile(later(29));
    assert.ok(await scene.version(), 'it has had nine');
    await scene.reconcile(later(31));
    assert.equal(await scene.version(), undefined);
  });
});
