import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { pipelineObject, serve } from '../../test/pipelines.ts';
import { until } from '../../test/until.ts';
import { type Pipeline, parsePipeline } from '../api/resource.ts';
import { KubeClient, loadKubeConfig } from '../kube/client.ts';
import { systemClock } from '../kube/clock.ts';
import { type KubeObject, keyOf, refOf } from '../kube/object.ts';
import { asObject } from '../kube/standing.ts';
import { claimsOfStored } from '../specs/claims.ts';
import { configMap, metadata } from '../specs/meta.ts';
import { Cluster } from './cluster.ts';
import { NameTakenError } from './refusals.ts';
import { Watches } from './watches.ts';

describe('the objects of a pipeline as the watches tell of them', () => {
  let server: ApiServer;
  let client: KubeClient;
  let watches: Watches;
  let stop: AbortController;
  let running: Promise<void>;
  let pipeline: Pipeline;
  let requests: string[];
  let woken: string[];
  let errors: string[];
  let number = 0;

  before(async () => {
    server = await startApiServer();
    await serve(server);
  });
  after(() => server?.stop());

  beforeEach(async () => {
    requests = [];
    woken = [];
    errors = [];
    pipeline = parsePipeline(await apply(pipelineObject(`pipeline-${number++}`)));
    client = new KubeClient(loadKubeConfig(server.kubeconfig), {
      onRequest: ({ method, code }) => requests.push(`${method} ${code}`),
    });
    watches = new Watches({
      client,
      clock: systemClock,
      wake: (key) => woken.push(key),
      onError: (kind, error) => errors.push(`${kind}: ${error}`),
    });
    stop = new AbortController();
    running = watches.run(stop.signal);
    await until('all is known', () => woken.includes(keyOf(pipeline)), { state: () => errors });
    woken.length = 0;
  });
  afterEach(async () => {
    stop.abort();
    await running;
    client.close();
  });

  const apply = (object: KubeObject) => server.adminClient.apply(object, { fieldManager: 'test' });
  const get = (object: KubeObject) => server.adminClient.get(refOf(object));
  const cluster = () => new Cluster(watches.access, pipeline);
  const object = (data: Record<string, string> = {}) => configMap(metadata(pipeline, 'relay'), data);
  /** What is asked of the API server meanwhile, without the watches. */
  async function asked(does: () => Promise<unknown>): Promise<string[]> {
    requests.length = 0;
    await does();
    return requests.filter((request) => !request.startsWith('WATCH'));
  }
  const known = () => watches.access.store?.get(refOf(object()))?.metadata.resourceVersion;
  const isWoken = () => until('the pipeline is woken', () => woken.includes(keyOf(pipeline)));

  test('what stands is neither written nor read', async () => {
    const ensure = () => cluster().ensureOnly('relay', [object({ x: '1' })]);
    assert.deepEqual(await asked(ensure), ['PATCH 201']);
    assert.deepEqual(await asked(ensure), []);
  });

  test('other pipelines are known, with what they claim, without asking', async () => {
    const kafka = { external: { bootstrapServers: 'kafka:9092' }, topic: { name: 'shared' } };
    const other = await apply(pipelineObject(`claims-${number}`, { kafka }));
    await until('it is known', () => woken.includes(keyOf(other.metadata)));
    const claims: string[] = [];
    const ask = async () => {
      for (const each of await cluster().pipelines())
        if (each.metadata.uid === other.metadata.uid)
          claims.push(...claimsOfStored(asObject(each)).map(({ what }) => what));
    };
    assert.deepEqual(await asked(ask), []);
    assert.ok(claims.includes('topic shared'));
    assert.ok(claims.includes('subject shared-value'));
  });

  test('drift wakes the pipeline, and is put right by one write', async () => {
    const ensure = () => cluster().ensure(object({ x: '1' }));
    await ensure();
    const drifted = await server.adminClient.mergePatch(refOf(object()), { data: { x: '2' } });
    await until('the drift is known', () => known() === drifted.metadata.resourceVersion);
    await isWoken();
    assert.deepEqual(await asked(ensure), ['PATCH 200']);
    assert.deepEqual((await get(object()))?.['data'], { x: '1' });
  });

  test('a write that the watches were too late for is refused, and decided anew on a fresh read', async () => {
    await cluster().ensure(object({ x: '1' }));
    stop.abort();
    await running;
    await server.adminClient.mergePatch(refOf(object()), { data: { theirs: 'yes' } });
    const changed = await asked(() => cluster().ensure(object({ x: '2' })));
    assert.deepEqual(changed, ['PATCH 409', 'GET 200', 'PATCH 200']);
    assert.deepEqual((await get(object()))?.['data'], { x: '2', theirs: 'yes' });
    await server.adminClient.delete(refOf(object()));
    const remade = await asked(() => cluster().ensure(object({ x: '3' })));
    assert.deepEqual(remade, ['PATCH 409', 'GET 404', 'PATCH 201']);
  });

  test('an object that lost its labels, and so is watched no longer, gets them back', async () => {
    await cluster().ensure(object());
    await server.adminClient.mergePatch(refOf(object()), { metadata: { labels: null } });
    await until('it is watched no longer', () => known() === undefined);
    await isWoken();
    await cluster().ensure(object());
    assert.deepEqual((await get(object()))?.metadata.labels, object().metadata.labels);
  });

  test('what someone else made is not written again and again', async () => {
    const { name, namespace = '' } = object().metadata;
    await apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace },
      data: { theirs: 'yes' },
    });
    const ensure = () => assert.rejects(cluster().ensure(object()), NameTakenError);
    assert.deepEqual(await asked(ensure), ['PATCH 409', 'GET 200']);
    assert.deepEqual(await asked(ensure), ['GET 200']);
    await server.adminClient.delete(refOf(object()));
    assert.deepEqual(await asked(() => cluster().ensure(object())), ['GET 404', 'PATCH 201']);
  });

  test('a Secret that a pipeline has read wakes it when it changes, comes or goes; another does not', async () => {
    const secret = (name: string, text: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: pipeline.namespace },
      data: { password: Buffer.from(text).toString('base64') },
    });
    const name = `${pipeline.name}-theirs`;
    assert.equal(await cluster().secret(name), undefined);
    await apply(secret(`${name}-too`, 'a'));
    await apply(secret(name, 'a'));
    await isWoken();
    assert.deepEqual(woken, [keyOf(pipeline)], 'once');
    assert.deepEqual(await cluster().secret(name), { password: 'a' });
    woken.length = 0;
    await apply(secret(name, 'b'));
    await isWoken();
    assert.deepEqual(await cluster().secret(name), { password: 'b' });
  });
});
