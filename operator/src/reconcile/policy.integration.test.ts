import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { NAMESPACE, serve } from '../../test/pipelines.ts';
import { Scene } from '../../test/scene.ts';
import { serveStrimzi } from '../../test/strimzi.ts';
import { SECRET, STATEFUL_SET, VOLUME_CLAIM } from '../kube/kinds.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import type { Kind } from '../kube/resources.ts';
import { type Component, componentSelector, labels } from '../specs/meta.ts';
import { KAFKA_NODE_POOL } from './owned.ts';

const STRIMZIS = { kafka: { strimzi: {} } };

describe('what stays of a deleted pipeline, and what goes, on a real API server', () => {
  let server: ApiServer;

  before(async () => {
    server = await startApiServer();
    await serve(server);
    await serveStrimzi(server);
  });
  after(() => server?.stop());

  const get = (kind: Kind, name: string) => server.adminClient.get({ ...kind, namespace: NAMESPACE, name });

  async function standing(kind: Kind, name: string): Promise<KubeObject[]> {
    const selection = { namespace: NAMESPACE, labelSelector: componentSelector(name) };
    return (await server.adminClient.list(kind, selection)).items;
  }

  /** A claim as the controllers make it, owned or not. */
  async function makeClaim(name: string, own: Record<string, string>, by?: KubeObject): Promise<void> {
    const { apiVersion = '', kind = '', metadata } = by ?? {};
    const owner = { apiVersion, kind, name: metadata?.name ?? '', uid: metadata?.uid ?? '' };
    await server.adminClient.create({
      ...VOLUME_CLAIM,
      metadata: { namespace: NAMESPACE, name, labels: own, ownerReferences: by ? [owner] : [] },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
  }

  const poolLabels = (name: string, pool: string) => ({
    'strimzi.io/cluster': name,
    'strimzi.io/pool-name': pool,
  });

  /** The claims of two pods and one of a neighbour, made while the pipeline had the policy `before`. */
  async function makeClaims(name: string, before: string): Promise<void> {
    const owner = (live: KubeObject | undefined) => (before === 'Delete' ? live : undefined);
    const own = labels({ namespace: NAMESPACE, name }, 'postgres');
    const set = await get(STATEFUL_SET, `${name}-postgres`);
    await makeClaim(`data-${name}-postgres-0`, own, owner(set));
    const pool = await get(KAFKA_NODE_POOL, `${name}-brokers`);
    await makeClaim(`data-0-${name}-brokers-0`, poolLabels(name, `${name}-brokers`), owner(pool));
    await makeClaim(`${name}-neighbour`, poolLabels(name, 'theirs'), owner(pool));
  }

  /** The kinds of an object's owners. */
  const owners = async (kind: Kind, name: string) =>
    (await get(kind, name))?.metadata.ownerReferences?.map((owner) => owner.kind) ?? [];

  /** How all that the policy is about stands. */
  async function seen(name: string) {
    const specs = async (kind: Kind) => JSON.stringify((await standing(kind, name)).map(({ spec }) => spec));
    const policies = (await specs(STATEFUL_SET)).match(/(?<="whenDeleted":")\w+/g);
    const claims = (await specs(KAFKA_NODE_POOL)).match(/(?<="deleteClaim":)\w+/g);
    return {
      policies: [...new Set(policies)],
      deleteClaim: [...new Set(claims)],
      postgres: await owners(VOLUME_CLAIM, `data-${name}-postgres-0`),
      broker: await owners(VOLUME_CLAIM, `data-0-${name}-brokers-0`),
      secrets: [
        await owners(SECRET, `${name}-postgres`),
        await owners(SECRET, `${name}-cassandra`),
        await owners(SECRET, `${name}-audit`),
      ],
    };
  }

  /** A pipeline whose policy was changed just before it was deleted, while the operator's hands were off. */
  async function changed(name: string, before: string, now: string): Promise<Scene> {
    const scene = new Scene(server.adminClient, name);
    await scene.apply({ ...STRIMZIS, deletionPolicy: before });
    await scene.reconcile();
    await makeClaims(name, before);
    await scene.annotate({ 'userstream.dev/reconcile': 'disabled' });
    await scene.apply({ ...STRIMZIS, deletionPolicy: now });
    await scene.delete();
    return scene;
  }

  const PIPELINE = 'UserStreamPipeline';

  test('Retain just before it is deleted keeps volumes and Secrets', async () => {
    const name = 'kept';
    const scene = await changed(name, 'Delete', 'Retain');
    await scene.reconcile();
    assert.deepEqual(await seen(name), {
      policies: ['Retain'],
      deleteClaim: ['false'],
      postgres: [],
      broker: [],
      secrets: [[], [], [PIPELINE]],
    });
    assert.deepEqual(await owners(VOLUME_CLAIM, `${name}-neighbour`), ['KafkaNodePool']);
    await scene.reconcile();
    assert.ok(await scene.version(), 'the controllers have not seen it yet');
    await scene.settle();
    for (const pool of await standing(KAFKA_NODE_POOL, name)) {
      const status = { observedGeneration: pool.metadata.generation };
      await server.adminClient.mergePatch(refOf(pool), { status }, { subresource: 'status' });
    }
    for (const _ of ['topics', 'all']) await scene.reconcile();
    assert.equal(await scene.version(), undefined);
  });

  test('Retain waits for no controller that never sees it', async () => {
    const scene = await changed('unseen', 'Delete', 'Retain');
    await scene.reconcile();
    const later = { now: () => new Date(Date.now() + 6 * 60_000) };
    for (const _ of ['topics', 'all']) await scene.reconcile(later);
    assert.equal(await scene.version(), undefined);
  });

  test('Delete just before it is deleted takes volumes and Secrets along', async () => {
    const name = 'taken';
    const scene = await changed(name, 'Retain', 'Delete');
    const own = labels({ namespace: NAMESPACE, name }, 'postgres');
    await makeClaim(`data-${name}-postgres-1`, own);
    await scene.reconcile();
    assert.deepEqual(await seen(name), {
      policies: ['Delete'],
      deleteClaim: ['true'],
      postgres: [PIPELINE],
      broker: [PIPELINE],
      secrets: [[PIPELINE], [PIPELINE], [PIPELINE]],
    });
    assert.deepEqual(await owners(VOLUME_CLAIM, `data-${name}-postgres-1`), [], 'of an earlier life');
    assert.deepEqual(await owners(VOLUME_CLAIM, `${name}-neighbour`), []);
    await scene.reconcile();
    assert.equal(await scene.version(), undefined);
  });

  test('Delete takes the volumes along that StatefulSets have left which are gone, not those of an earlier life', async () => {
    const name = 'bereft';
    const scene = new Scene(server.adminClient, name);
    const spec = { deletionPolicy: 'Delete', spark: { checkpoint: { uri: 's3a://bucket/checkpoint' } } };
    await scene.run(spec);
    const volumes = ['postgres-0', 'postgres-1', 'cassandra-0', 'cassandra-4', 'spark-0'];
    for (const volume of volumes) {
      const component = volume.split('-')[0] as Component;
      await makeClaim(`data-${name}-${volume}`, labels({ namespace: NAMESPACE, name }, component));
    }
    for (const set of await standing(STATEFUL_SET, name)) await server.adminClient.delete(refOf(set));
    await scene.delete();
    await scene.reconcile();
    const going = volumes.map(async (volume) => await owners(VOLUME_CLAIM, `data-${name}-${volume}`));
    assert.deepEqual(await Promise.all(going), [[PIPELINE], [], [PIPELINE], [PIPELINE], []]);
  });
});
