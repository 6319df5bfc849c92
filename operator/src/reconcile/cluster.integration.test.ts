import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { pipelineObject, serve } from '../../test/pipelines.ts';
import { type Pipeline, parsePipeline } from '../api/resource.ts';
import { KubeClient, loadKubeConfig } from '../kube/client.ts';
import { isConflict } from '../kube/errors.ts';
import { type KubeObject, type ObjectRef, refOf } from '../kube/object.ts';
import type { ApplyOptions, DeleteOptions } from '../kube/options.ts';
import { configMap, metadata } from '../specs/meta.ts';
import { base64 } from '../specs/secrets.ts';
import { Cluster } from './cluster.ts';
import { TerminatingError } from './refusals.ts';

const LABELS = { app: 'x' };

/** A client to whose API server something happens after a decision, before the write. */
class LateClient extends KubeClient {
  meanwhile: () => Promise<unknown> = async () => {};

  override async apply<T extends KubeObject>(object: T, options: ApplyOptions): Promise<T> {
    await this.meanwhile();
    return await super.apply(object, options);
  }

  override async delete(ref: ObjectRef, options?: DeleteOptions): Promise<boolean> {
    await this.meanwhile();
    return await super.delete(ref, options);
  }
}

describe('the objects of a pipeline on a real API server', () => {
  let server: ApiServer;
  let client: LateClient;
  let pipeline: Pipeline;
  let number = 0;

  before(async () => {
    server = await startApiServer();
    client = new LateClient(loadKubeConfig(server.kubeconfig));
    await serve(server);
  });
  after(async () => {
    client?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    client.meanwhile = async () => {};
    pipeline = parsePipeline(await apply(pipelineObject(`pipeline-${number++}`)));
  });

  const apply = (object: KubeObject) => server.adminClient.apply(object, { fieldManager: 'test' });
  const get = (object: KubeObject) => server.adminClient.get(refOf(object));
  const remove = (object: KubeObject) => server.adminClient.delete(refOf(object));
  const cluster = () => new Cluster({ client }, pipeline);
  const deployment = (image: string, replicas = 1): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(pipeline, 'relay'),
    spec: {
      replicas,
      selector: { matchLabels: LABELS },
      template: { metadata: { labels: LABELS }, spec: { containers: [{ name: 'main', image }] } },
    },
  });
  const image = (live: KubeObject | undefined) => JSON.stringify(live).match(/"image":"([^"]+)"/)?.[1];
  const replicas = (live: KubeObject | undefined) =>
    (live?.['spec'] as { replicas: number } | undefined)?.replicas;
  /** Says of a Deployment how many of its pods are ready. */
  const settle = async (live: KubeObject | undefined, readyReplicas: number) => {
    const counts = { replicas: replicas(live), updatedReplicas: replicas(live), readyReplicas };
    const status = { ...counts, observedGeneration: live?.metadata.generation };
    await server.adminClient.mergePatch(refOf(deployment('')), { status }, { subresource: 'status' });
  };
  const object = (name: string, data: Record<string, string> = {}) =>
    configMap(metadata(pipeline, 'relay', `${pipeline.name}-${name}`), data);

  test('a change that was decided on an older state is refused', async () => {
    const mine = object('a', { x: '1' });
    await cluster().ensure(mine);
    client.meanwhile = () => server.adminClient.mergePatch(refOf(mine), { data: { theirs: 'yes' } });
    await assert.rejects(cluster().ensure(object('a', { x: '2' })), isConflict);
    assert.deepEqual((await get(mine))?.['data'], { x: '1', theirs: 'yes' });
  });

  test('a change does not fall on another object that came under the name', async () => {
    const mine = object('a', { x: '1' });
    await cluster().ensure(mine);
    client.meanwhile = async () => {
      await remove(mine);
      await apply({ ...mine, data: { theirs: 'yes' } });
    };
    await assert.rejects(cluster().ensure(object('a', { x: '2' })), isConflict);
    assert.deepEqual((await get(mine))?.['data'], { theirs: 'yes' });
  });

  test('a creation takes nothing that came meanwhile', async () => {
    const mine = object('a', { x: '1' });
    client.meanwhile = () => apply({ ...mine, data: { theirs: 'yes' } });
    await assert.rejects(cluster().ensure(mine), isConflict);
    assert.deepEqual((await get(mine))?.['data'], { theirs: 'yes' });
  });

  test('a deletion spares what came under the name, and what the operator did not make', async () => {
    const kind = { apiVersion: 'v1', kind: 'ConfigMap' };
    const first = await cluster().ensure<KubeObject>(object('a'));
    await remove(object('a'));
    await cluster().ensure(object('a'));
    const { uid = '' } = first?.metadata ?? {};
    await assert.rejects(cluster().delete(kind, object('a').metadata.name, { uid }), isConflict);
    const foreign = { ...object('b'), metadata: { ...object('b').metadata, labels: {} } };
    await apply(foreign);
    assert.equal(await cluster().delete(kind, foreign.metadata.name), false);
    assert.ok(await get(foreign));
    assert.equal(await cluster().delete(kind, object('a').metadata.name), true);
    assert.equal(await get(object('a')), undefined);
  });

  test('a deletion of what has the name, whosever it is, spares what came under the name meanwhile', async () => {
    const kind = { apiVersion: 'v1', kind: 'ConfigMap' };
    const foreign = { ...object('c'), metadata: { ...object('c').metadata, labels: {} } };
    await apply(foreign);
    client.meanwhile = async () => {
      await remove(foreign);
      await apply({ ...foreign, data: { another: 'yes' } });
    };
    await assert.rejects(cluster().deleteWhosever(kind, foreign.metadata.name), isConflict);
    assert.deepEqual((await get(foreign))?.['data'], { another: 'yes' });
    client.meanwhile = async () => {};
    for (const _ of ['it', 'none']) await cluster().deleteWhosever(kind, foreign.metadata.name);
    assert.equal(await get(foreign), undefined);
  });

  test('what is being deleted does not stand: it is waited for, then made anew', async () => {
    const mine = object('a', { x: '1' });
    const first = await cluster().ensure<KubeObject>(mine);
    await server.adminClient.mergePatch(refOf(mine), { metadata: { finalizers: ['userstream.dev/test'] } });
    await remove(mine);
    await assert.rejects(
      cluster().ensure(mine),
      (error) => error instanceof TerminatingError && /held by userstream.dev\/test/.test(error.message),
    );
    await server.adminClient.mergePatch(refOf(mine), { metadata: { finalizers: null } });
    const second = await cluster().ensure<KubeObject>(mine);
    assert.notEqual(second.metadata.uid, first.metadata.uid);
  });

  test('what a component no longer wants goes; what others own, and what has no owner, stays', async () => {
    const [wanted, dropped] = [object('wanted'), object('dropped')];
    const ofIngest = configMap(metadata(pipeline, 'ingest'), {});
    const { ownerReferences: _, ...unowned } = metadata(pipeline, 'relay', `${pipeline.name}-kept`);
    const kept = { apiVersion: 'v1', kind: 'Secret', metadata: unowned, data: base64({ password: 'x' }) };
    const stranger = object('stranger');
    await apply({ ...stranger, metadata: { ...stranger.metadata, ownerReferences: [] } });
    await cluster().ensureAll([dropped, ofIngest, kept]);
    const view = cluster();
    await view.ensure(object('before'));
    await view.with({ mode: 'hold' }).ensureOnly('relay', [wanted]);
    assert.equal(await get(dropped), undefined);
    for (const standing of [wanted, ofIngest, kept, stranger, object('before')])
      assert.ok(await get(standing), standing.metadata.name);
  });

  test('to hold leaves the pods of a workload that is well as they are, and corrects one that is not', async () => {
    const hold = cluster().with({ mode: 'hold' });
    await settle(await hold.ensure(deployment('a:1')), 1);
    assert.equal(image(await hold.ensure(deployment('b:1'))), 'a:1');
    await settle(await get(deployment('')), 0);
    assert.equal(image(await hold.ensure(deployment('b:1'))), 'b:1');
  });

  test('to hold writes what rolls no pods, unless somebody changed them meanwhile', async () => {
    const hold = cluster().with({ mode: 'hold' });
    await settle(await hold.ensure(deployment('a:1')), 1);
    const grown = await hold.ensure<KubeObject>(deployment('a:1', 3));
    assert.equal(replicas(grown), 3);
    await settle(grown, 3);
    assert.equal(
      replicas(await hold.ensure(deployment('b:1', 2))),
      3,
      'what would roll them is held as a whole',
    );
    const containers = [{ name: 'main', image: 'theirs:1' }];
    const drifted = await server.adminClient.mergePatch(refOf(deployment('')), {
      spec: { template: { spec: { containers } } },
    });
    await settle(drifted, 3);
    assert.equal(replicas(await hold.ensure(deployment('a:1', 2))), 3);
  });

  test('to hold hinders nothing from being stopped, nor from being started again', async () => {
    const hold = cluster().with({ mode: 'hold' });
    await settle(await hold.ensure(deployment('a:1')), 1);
    const stopped = await hold.ensure<KubeObject>(deployment('a:1', 0));
    assert.equal(replicas(stopped), 0);
    await settle(stopped, 0);
    assert.equal(replicas(await hold.ensure(deployment('a:1'))), 1);
  });
});
