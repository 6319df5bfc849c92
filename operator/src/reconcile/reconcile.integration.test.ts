import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { V1JobStatus } from '@kubernetes/client-node';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { NAMESPACE, pipelineObject, serve } from '../../test/pipelines.ts';
import { EFFECTS } from '../../test/scene.ts';
import { until } from '../../test/until.ts';
import { GROUP, KIND, VERSION } from '../api/pipeline.ts';
import type { PipelineStatus } from '../api/status.ts';
import { KubeClient, loadKubeConfig } from '../kube/client.ts';
import { JOB, POD } from '../kube/kinds.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import type { Kind } from '../kube/resources.ts';
import { componentSelector } from '../specs/meta.ts';
import type { Report } from '../status/reports.ts';
import { FINALIZER } from './finalizer.ts';
import { type PipelineObject, refTo } from './pipeline-object.ts';
import { type Dependencies, reconcile } from './reconciler.ts';

describe('a reconcile against a real API server', () => {
  let server: ApiServer;
  let client: KubeClient;
  let writes = 0;
  let reports: Report[] = [];

  const dependencies = (): Dependencies => ({ ...EFFECTS, client, readReports: async () => reports });
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

  const noteData = (name: string) =>
    server.adminClient.mergePatch(
      refTo({ namespace: NAMESPACE, name }),
      { status: { dataSince: '2026-01-01T00:00:00Z' } },
      { subresource: 'status' },
    );

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
    const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace: NAMESPACE, name: 'drift-postgres' };
    await server.adminClient.mergePatch(set, { spec: { replicas: 7 } });
    await server.adminClient.delete({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace: NAMESPACE,
      name: 'drift-postgres',
    });
    await run('drift');
    const live = await server.adminClient.get<KubeObject & { spec: { replicas: number } }>(set);
    assert.equal(live?.spec.replicas, 1);
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

  test('knows what it made by who wrote it, though labels and annotations are gone', async () => {
    await apply(pipelineObject('stripped'));
    await run('stripped');
    const made = { apiVersion: 'v1', kind: 'ConfigMap', namespace: NAMESPACE, name: 'stripped-postgres' };
    const stripped = { labels: null, annotations: null, ownerReferences: null };
    await server.adminClient.mergePatch(made, { metadata: stripped });
    await run('stripped');
    const { labels = {}, ownerReferences = [] } = (await server.adminClient.get(made))?.metadata ?? {};
    assert.equal(labels['app.kubernetes.io/instance'], 'stripped');
    assert.equal(ownerReferences.length, 1);
  });

  test('leaves a topic to the pipeline that had it first', async () => {
    const kafka = { external: { bootstrapServers: 'kafka.kafka:9092' }, topic: { name: 'wanted' } };
    await apply(pipelineObject('first', { kafka }));
    await noteData('first');
    await apply(pipelineObject('second', { kafka }));
    for (const name of ['first', 'second']) await run(name);
    const taken = await condition('second', 'WorkersReady');
    assert.equal(taken?.reason, 'NameTaken');
    assert.match(
      taken?.message ?? '',
      /topic wanted at kafka\.kafka:9092 is held by the pipeline team\/first/,
    );
    assert.notEqual((await condition('first', 'WorkersReady'))?.reason, 'NameTaken');

    const elsewhere = pipelineObject('third', { kafka });
    elsewhere.metadata.namespace = 'default';
    await apply(elsewhere);
    await reconcile({ namespace: 'default', name: 'third' }, dependencies());
    const third: PipelineObject | undefined = await server.adminClient.get(
      refTo({ namespace: 'default', name: 'third' }),
    );
    const { conditions = [] } = third?.status ?? {};
    const told = conditions.find(({ type }) => type === 'WorkersReady')?.message ?? '';
    assert.match(told, /topic wanted at kafka\.kafka:9092 is held by a pipeline of another namespace;/);
    assert.doesNotMatch(told, /team/, 'whose it is concerns nobody there');
  });

  test('leaves a topic and a subject to who had them first, though it names neither', async () => {
    const external = { bootstrapServers: 'kafka.kafka:9092' };
    const schemaRegistry = { external: { url: 'http://registry.kafka' } };
    const named = pipelineObject('names', { kafka: { external, topic: { name: 'default.unnamed.users' } } });
    const theirs = { bootstrapServers: 'another.kafka:9092' };
    const subject = { kafka: { external: theirs, topic: { name: 'default.other.users' } }, schemaRegistry };
    for (const object of [named, pipelineObject('registers', subject)]) {
      await apply(object);
      await noteData(object.metadata.name);
    }
    const taken: [string, RegExp][] = [
      ['unnamed', /topic default.unnamed.users at kafka.kafka:9092 is held/],
      ['other', /subject default.other.users-value at http:\/\/registry.kafka is held/],
    ];
    for (const [name, message] of taken) {
      const object = pipelineObject(name, { kafka: { external }, schemaRegistry });
      object.metadata.namespace = 'default';
      await apply(object);
      await reconcile({ namespace: 'default', name }, dependencies());
      const ref = refTo({ namespace: 'default', name });
      const { conditions = [] } = (await server.adminClient.get<PipelineObject>(ref))?.status ?? {};
      assert.match(conditions.find(({ type }) => type === 'WorkersReady')?.message ?? '', message);
    }
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
});

describe('with the controllers of Kubernetes at work', () => {
  let server: ApiServer;
  before(async () => {
    server = await startApiServer({ controllerManager: true });
    await serve(server);
  });
  after(() => server?.stop());

  test('a provisioning that is drained goes on in another pod, and has not failed', async () => {
    const client = server.adminClient;
    await client.apply(pipelineObject('drained'), { fieldManager: 'test' });
    await reconcile({ namespace: NAMESPACE, name: 'drained' }, { ...EFFECTS, client });
    const labelSelector = componentSelector('drained', 'provision');
    const listed = async (kind: Kind) =>
      (await client.list(kind, { namespace: NAMESPACE, labelSelector })).items;
    await until('it has a pod', async () => (await listed(POD)).length === 1);
    const [pod] = await listed(POD);
    assert.ok(pod);
    const status = { phase: 'Failed', conditions: [{ type: 'DisruptionTarget', status: 'True' }] };
    await client.mergePatch(refOf(pod), { status }, { subresource: 'status' });
    const another = async () => (await listed(POD)).some(({ metadata }) => metadata.uid !== pod.metadata.uid);
    await until('another takes its place', another, { ms: 60_000 });
    const [job] = await listed(JOB);
    assert.equal((job?.['status'] as V1JobStatus | undefined)?.failed ?? 0, 0);
  });

  test('a template that was wrong is corrected while its pod is broken', async () => {
    const run = async () => {
      const client = server.adminClient;
      await reconcile({ namespace: NAMESPACE, name: 'broken' }, { ...EFFECTS, client });
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
