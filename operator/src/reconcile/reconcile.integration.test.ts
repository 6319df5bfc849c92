import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { NAMESPACE, pipelineObject, serve } from '../../test/pipelines.ts';
import { until } from '../../test/until.ts';
import { GROUP, KIND, VERSION } from '../api/pipeline.ts';
import type { PipelineStatus } from '../api/status.ts';
import { KubeClient, loadKubeConfig } from '../kube/client.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import { componentSelector } from '../specs/meta.ts';
import { IMAGES } from '../specs/testing.ts';
import type { Report } from '../status/reports.ts';
import { FINALIZER } from './finalizer.ts';
import { type Dependencies, reconcile } from './reconciler.ts';

const effects = {
  images: IMAGES,
  readReports: async () => [],
  password: () => 'a-password-of-the-test',
  now: () => new Date(),
  record: () => {},
};

describe('a reconcile against a real API server', () => {
  let server: ApiServer;
  let client: KubeClient;
  let writes = 0;
  let reports: Report[] = [];

  const dependencies = (): Dependencies => ({ ...effects, client, readReports: async () => reports });
  const run = (name: string) => reconcile({ namespace: NAMESPACE, name }, dependencies());
  const apply = (object: KubeObject) => server.adminClient.apply(object, { fieldManager: 'test' });
  const get = (apiVersion: string, kind: string, name: string) =>
    server.adminClient.get<KubeObject & { status?: PipelineStatus }>({
      apiVersion,
      kind,
      namespace: NAMESPACE,
      name,
    });
  const pipeline = (name: string) => get(`${GROUP}/${VERSION}`, KIND, name);
  const condition = async (name: string, type: string) =>
    (await pipeline(name))?.status?.conditions?.find((each) => each.type === type);

  const worker = (figures: Record<string, number>): Report => ({
    ready: true,
    stage: 'Worker',
    reason: 'Running',
    message: '',
    figures,
  });
  const scale = async (name: string, component: string) => {
    const kind = component === 'spark' ? 'StatefulSet' : 'Deployment';
    const live = await get('apps/v1', kind, `${name}-${component}`);
    return (live?.['spec'] as { replicas: number } | undefined)?.replicas;
  };
  const owned = async (kind: { apiVersion: string; kind: string }, name: string) =>
    (await server.adminClient.list(kind, { namespace: NAMESPACE, labelSelector: componentSelector(name) }))
      .items;
  /** What the controllers, which don't run here, would say once a pipeline's workloads are as they should be. */
  const settle = async (name: string) => {
    for (const kind of ['StatefulSet', 'Deployment']) {
      for (const object of await owned({ apiVersion: 'apps/v1', kind }, name)) {
        const { replicas } = object['spec'] as { replicas: number };
        const counts = { replicas, readyReplicas: replicas, updatedReplicas: replicas };
        const status = { ...counts, observedGeneration: object.metadata.generation };
        await server.adminClient.mergePatch(refOf(object), { status }, { subresource: 'status' });
      }
    }
  };
  /** The Job has done its work. */
  const provisioned = async (name: string) => {
    const done = (type: string) => ({ type, status: 'True', lastTransitionTime: '2026-01-01T00:00:01Z' });
    const times = { startTime: '2026-01-01T00:00:00Z', completionTime: '2026-01-01T00:00:01Z', succeeded: 1 };
    const status = { ...times, conditions: ['SuccessCriteriaMet', 'Complete'].map(done) };
    for (const job of await owned({ apiVersion: 'batch/v1', kind: 'Job' }, name))
      await server.adminClient.mergePatch(refOf(job), { status }, { subresource: 'status' });
  };

  before(async () => {
    server = await startApiServer();
    const onRequest = ({ method }: { method: string }) => {
      if (method !== 'GET') writes += 1;
    };
    client = new KubeClient(loadKubeConfig(server.kubeconfig), { onRequest });
    await serve(server);
  });
  after(async () => {
    client?.close();
    await server?.stop();
  });

  test('makes the stores and the provision Job, and says what it waits for', async () => {
    await apply(pipelineObject('made'));
    await run('made');
    for (const name of ['made-postgres', 'made-cassandra'])
      assert.ok(await get('apps/v1', 'StatefulSet', name), name);
    assert.ok(await get('apps/v1', 'Deployment', 'made-registry'));
    assert.equal((await condition('made', 'Ready'))?.status, 'False');
    assert.match(
      (await condition('made', 'PostgresReady'))?.message ?? '',
      /made-postgres: 0 of 1 pods ready/,
    );
    assert.equal((await condition('made', 'SparkReady'))?.status, 'Unknown');
    assert.deepEqual((await pipeline('made'))?.metadata.finalizers, [FINALIZER]);
  });

  test('says that a pipeline was accepted before it makes anything', async () => {
    await apply(pipelineObject('first'));
    const failing = { ...dependencies(), readReports: () => Promise.reject(new Error('no more')) };
    await assert.rejects(reconcile({ namespace: NAMESPACE, name: 'first' }, failing), /no more/);
    const told = await Promise.all(['Ready', 'Reconciling'].map((type) => condition('first', type)));
    assert.deepEqual(
      told.map((each) => `${each?.status} ${each?.reason}`),
      ['False Accepted', 'True Accepted'],
    );
    assert.equal(await get('v1', 'Secret', 'first-postgres'), undefined);
  });

  test('says once when there may be data, and tells of each transition', async () => {
    const told: string[] = [];
    const record = (_: KubeObject, { reason }: { reason: string }) => void told.push(reason);
    const key = { namespace: NAMESPACE, name: 'told-of' };
    await apply(pipelineObject('told-of'));
    await reconcile(key, { ...dependencies(), record });
    assert.deepEqual(told.slice(0, 3), ['Accepted', 'PostgresStarting', 'KafkaReady']);
    assert.equal((await pipeline('told-of'))?.status?.dataSince, undefined);
    await provisioned('told-of');
    await reconcile(key, { ...dependencies(), now: () => new Date('2026-01-01T00:00:00Z') });
    await reconcile(key, dependencies());
    assert.equal((await pipeline('told-of'))?.status?.dataSince, '2026-01-01T00:00:00Z');
  });

  test('stops a suspended pipeline once all that was fetched has arrived, and takes it up again', async () => {
    let time = Date.parse('2026-01-01T00:00:00Z');
    const turn = async (seconds = 1) => {
      time += seconds * 1000;
      await reconcile(
        { namespace: NAMESPACE, name: 'pausing' },
        { ...dependencies(), now: () => new Date(time) },
      );
      await settle('pausing');
    };
    const replicas = () =>
      Promise.all(['ingest', 'relay', 'spark'].map((component) => scale('pausing', component)));
    const reason = async () => (await condition('pausing', 'Ready'))?.reason;
    await apply(pipelineObject('pausing'));
    await turn();
    await provisioned('pausing');
    for (const _ of ['stores', 'spark', 'relay', 'ingest']) await turn();
    assert.equal(await reason(), 'Running');

    await apply(pipelineObject('pausing', { suspend: true }));
    await turn();
    assert.deepEqual([await replicas(), await reason()], [[0, 2, 1], 'Draining']);
    await turn();
    reports = [worker({ relayedForMs: 60_000 }), worker({ readToEndAgoMs: 5_000 })];
    await turn(15);
    assert.deepEqual([await replicas(), await reason()], [[0, 2, 1], 'Draining']);
    await turn(15);
    reports = [];
    await turn();
    assert.deepEqual([await replicas(), await reason()], [[0, 2, 0], 'Suspended']);

    await apply(pipelineObject('pausing', { suspend: false }));
    await turn();
    await turn();
    assert.deepEqual(await replicas(), [1, 2, 1]);
  });

  test('writes nothing when nothing changed', async () => {
    await apply(pipelineObject('quiet'));
    await run('quiet');
    await run('quiet');
    const before = { writes, version: (await pipeline('quiet'))?.metadata.resourceVersion };
    await run('quiet');
    const now = { writes, version: (await pipeline('quiet'))?.metadata.resourceVersion };
    assert.deepEqual(now, before);
  });

  test('puts back what someone changed or deleted', async () => {
    await apply(pipelineObject('drift'));
    await run('drift');
    const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace: NAMESPACE, name: 'drift-cassandra' };
    await server.adminClient.mergePatch(set, { spec: { replicas: 7 } });
    await server.adminClient.delete({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace: NAMESPACE,
      name: 'drift-postgres',
    });
    await run('drift');
    const live = await server.adminClient.get<KubeObject & { spec: { replicas: number } }>(set);
    assert.equal(live?.spec.replicas, 3);
    assert.ok(await get('v1', 'ConfigMap', 'drift-postgres'));
  });

  test('keeps the passwords that it once made', async () => {
    await apply(pipelineObject('secrets'));
    await run('secrets');
    const before = await get('v1', 'Secret', 'secrets-postgres');
    await reconcile(
      { namespace: NAMESPACE, name: 'secrets' },
      { ...dependencies(), password: () => 'another' },
    );
    assert.deepEqual((await get('v1', 'Secret', 'secrets-postgres'))?.['data'], before?.['data']);
  });

  test('names a Secret that is missing, and heals when it comes', async () => {
    const external = { host: 'db.example', secretRef: { name: 'db' } };
    await apply(pipelineObject('secretless', { postgres: { external } }));
    await run('secretless');
    const missing = await condition('secretless', 'Stalled');
    assert.equal(missing?.status, 'True');
    assert.match(
      missing?.message ?? '',
      /Secret db doesn't exist; create it with the keys username, password/,
    );
    const data = { username: 'dQ==', password: 'cA==' };
    await apply({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace: NAMESPACE, name: 'db' }, data });
    await run('secretless');
    assert.equal((await condition('secretless', 'PostgresReady'))?.status, 'True');
  });

  test('says in a worker’s words what only a running process knows', async () => {
    await apply(pipelineObject('told'));
    reports = [
      {
        ready: false,
        stage: 'Kafka',
        reason: 'BrokerUnreachable',
        message: 'nobody answers; start it',
        figures: {},
      },
    ];
    await run('told');
    reports = [];
    const told = await condition('told', 'KafkaReady');
    assert.deepEqual(
      [told?.status, told?.reason, told?.message],
      ['False', 'BrokerUnreachable', 'nobody answers; start it'],
    );
  });

  test('says that Strimzi is missing where its kinds are not served', async () => {
    await apply(pipelineObject('strimzi', { kafka: { strimzi: {} } }));
    await run('strimzi');
    assert.match((await condition('strimzi', 'KafkaReady'))?.message ?? '', /install Strimzi/);
  });

  test('leaves its hands off where it is told to', async () => {
    const object = pipelineObject('paused');
    const annotations = { 'userstream.dev/reconcile': 'disabled' };
    await apply({ ...object, metadata: { ...object.metadata, annotations } });
    await run('paused');
    assert.equal(await get('apps/v1', 'StatefulSet', 'paused-postgres'), undefined);
  });

  test('takes nothing that someone else made', async () => {
    const foreign = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: NAMESPACE, name: 'taken-postgres' },
    };
    await apply({ ...foreign, data: { theirs: 'yes' } });
    await apply(pipelineObject('taken'));
    await run('taken');
    assert.match((await condition('taken', 'Stalled'))?.message ?? '', /ConfigMap taken-postgres exists/);
    assert.deepEqual((await get('v1', 'ConfigMap', 'taken-postgres'))?.['data'], { theirs: 'yes' });
  });

  test('lets a deleted pipeline go although its hands are off', async () => {
    await apply(pipelineObject('off'));
    await run('off');
    const object = pipelineObject('off');
    const annotations = { 'userstream.dev/reconcile': 'disabled' };
    await apply({ ...object, metadata: { ...object.metadata, annotations } });
    await server.adminClient.delete({
      apiVersion: object.apiVersion,
      kind: KIND,
      namespace: NAMESPACE,
      name: 'off',
    });
    await run('off');
    assert.equal(await pipeline('off'), undefined);
  });

  test('lets a deleted pipeline go when nothing outside is left to undo', async () => {
    await apply(pipelineObject('gone'));
    await run('gone');
    const { apiVersion, kind } = pipelineObject('gone');
    await server.adminClient.delete({ apiVersion, kind, namespace: NAMESPACE, name: 'gone' });
    await run('gone');
    assert.equal(await pipeline('gone'), undefined);
  });

  test('undoes topics in an existing Kafka before it lets a pipeline go that keeps nothing', async () => {
    await apply(pipelineObject('topics', { deletionPolicy: 'Delete' }));
    await run('topics');
    const { apiVersion, kind } = pipelineObject('topics');
    await server.adminClient.delete({ apiVersion, kind, namespace: NAMESPACE, name: 'topics' });
    await run('topics');
    assert.ok(await pipeline('topics'), 'it is held');
    const teardown = { apiVersion: 'batch/v1', kind: 'Job', namespace: NAMESPACE, name: 'topics-teardown' };
    assert.ok(await server.adminClient.get(teardown), 'by its teardown Job');
    const status = {
      startTime: '2026-01-01T00:00:00Z',
      completionTime: '2026-01-01T00:00:01Z',
      succeeded: 1,
      conditions: ['SuccessCriteriaMet', 'Complete'].map((type) => ({
        type,
        status: 'True',
        lastTransitionTime: '2026-01-01T00:00:01Z',
        lastProbeTime: '2026-01-01T00:00:01Z',
      })),
    };
    await server.adminClient.mergePatch(teardown, { status }, { subresource: 'status' });
    await run('topics');
    assert.equal(await pipeline('topics'), undefined);
  });
});

describe('with the controllers of Kubernetes at work', () => {
  let server: ApiServer;
  before(async () => {
    server = await startApiServer({ controllerManager: true });
    await serve(server);
  });
  after(() => server?.stop());

  test('a template that was wrong is corrected while its pod is broken', async () => {
    const run = async () => {
      const client = server.adminClient;
      await reconcile({ namespace: NAMESPACE, name: 'broken' }, { ...effects, client });
    };
    const image = async () => {
      const ref = { apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE, name: 'broken-postgres-0' };
      const pod = await server.adminClient.get<KubeObject & { spec: { containers: { image: string }[] } }>(
        ref,
      );
      return pod?.spec.containers[0]?.image;
    };
    const withImage = (name: string) => pipelineObject('broken', { postgres: { managed: { image: name } } });
    for (const name of ['no-such-image:1', 'postgres:15']) {
      await server.adminClient.apply(withImage(name), { fieldManager: 'test' });
      await until(`the pod runs ${name}`, () => run().then(async () => (await image()) === name), {
        ms: 60_000,
      });
    }
  });
});
