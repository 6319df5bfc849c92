import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { NAMESPACE, serve } from '../../test/pipelines.ts';
import { Scene } from '../../test/scene.ts';
import { strimziDefinitions } from '../../test/strimzi.ts';
import { until } from '../../test/until.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import type { Kind } from '../kube/resources.ts';
import { labels } from '../specs/meta.ts';
import { STRIMZI } from './owned.ts';

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

  const teardownOf = (name: string) =>
    server.adminClient.get({
      apiVersion: 'batch/v1',
      kind: 'Job',
      namespace: NAMESPACE,
      name: `${name}-teardown`,
    });

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
    assert.ok(await scene.version(), 'it is held');
    assert.ok(await teardownOf('topics'), 'by its teardown Job');
    await scene.provisioned();
    await scene.reconcile();
    assert.equal(await scene.version(), undefined);
  });

  test('is not kept from the teardown by a KafkaTopic that someone else holds', async () => {
    const { adminClient } = server;
    for (const definition of await strimziDefinitions())
      await adminClient.apply(definition, { fieldManager: 'test' });
    const list = (kind: Kind) => adminClient.list(kind, { namespace: NAMESPACE });
    const served = () => Promise.all(STRIMZI.map(list));
    await until("Strimzi's kinds are served", () => served().then(Boolean, () => false));
    const db = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: NAMESPACE, name: 'db' } };
    await adminClient.apply(
      { ...db, data: { username: 'dQ==', password: 'cA==' } },
      { fieldManager: 'test' },
    );
    const scene = await deleted('held', {
      kafka: { strimzi: {} },
      postgres: { external: { host: 'db.example', secretRef: { name: 'db' } } },
    });
    const { items } = await list({ apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaTopic' });
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
    const told: string[] = [];
    const record = (_: KubeObject, { reason, message }: { reason: string; message: string }) =>
      void told.push(`${reason}: ${message}`);
    await scene.reconcile({ ...later(6), record });
    assert.equal(await scene.version(), undefined);
    assert.match(told.join(), /LeftOver: .*Job hopeless-teardown did not succeed within five minutes/);
  });

  test('waits for pods to end, but not for ever', async () => {
    const key = { namespace: NAMESPACE, name: 'lingering' };
    const scene = await deleted('lingering', { deletionPolicy: 'Delete' });
    const metadata = { namespace: NAMESPACE, name: 'lingering-ingest-x', labels: labels(key, 'ingest') };
    const spec = { containers: [{ name: 'main', image: 'none' }], automountServiceAccountToken: false };
    await server.adminClient.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
    await scene.reconcile(later(4));
    assert.ok(await scene.version());
    assert.equal(await teardownOf('lingering'), undefined, 'a pod still writes');
    await scene.reconcile(later(6));
    assert.equal(await scene.version(), undefined, 'it has had its time');
  });

  test('gives up after ten minutes what the API server refuses all along', async () => {
    const scene = await deleted('refused', { deletionPolicy: 'Delete' });
    const foreign = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: NAMESPACE, name: 'refused-teardown' },
    };
    await server.adminClient.create(foreign);
    await assert.rejects(scene.reconcile(), /ConfigMap refused-teardown exists/);
    await scene.reconcile(later(11));
    assert.equal(await scene.version(), undefined);
  });
});
