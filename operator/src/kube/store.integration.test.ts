import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { until } from '../../test/until.ts';
import { isApplied, stamped } from './applied.ts';
import { KubeClient, loadKubeConfig } from './client.ts';
import { systemClock } from './clock.ts';
import { type KubeObject, refOf } from './object.ts';
import { asObject } from './standing.ts';
import { type Followed, Store } from './store.ts';

const manager = 'userstream-test';
const CONFIG_MAPS = { apiVersion: 'v1', kind: 'ConfigMap' };
const JOBS = { apiVersion: 'batch/v1', kind: 'Job' };
const ABSENT = { apiVersion: 'kafka.strimzi.io/v1', kind: 'Kafka' };

const labels = {
  'app.kubernetes.io/name': 'stored',
  'app.kubernetes.io/instance': 'users',
  'app.kubernetes.io/component': 'relay',
};

const configMap = (name: string, data: Record<string, string> = {}): KubeObject => ({
  ...CONFIG_MAPS,
  metadata: { name, namespace: 'default', labels },
  data,
});

const job = (name: string): KubeObject => ({
  ...JOBS,
  metadata: { name, namespace: 'default', labels },
  spec: {
    suspend: true,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'a:1' }] } },
  },
});

const labelSelector = 'app.kubernetes.io/name=stored';
const KINDS: Followed[] = [
  { kind: CONFIG_MAPS, labelSelector },
  { kind: JOBS, labelSelector, keep: ({ metadata, spec }) => ({ name: metadata.name, spec }) },
  { kind: ABSENT, optional: true },
];

describe('the store on a real API server', () => {
  let api: ApiServer;
  let client: KubeClient;
  let store: Store;
  let stop: AbortController;
  let running: Promise<void>;
  let errors: string[];
  let changes: string[];

  before(async () => {
    api = await startApiServer();
  });
  after(() => api?.stop());

  beforeEach(async () => {
    stop = new AbortController();
    errors = [];
    changes = [];
    const config = loadKubeConfig(api.kubeconfig);
    client = new KubeClient(config, { aroundWrite: (ref, write) => store.around(ref, write) });
    store = follow();
    running = store.run(stop.signal);
    await until('all kinds are known', () => store.isSynced, { state: () => errors });
  });
  afterEach(async () => {
    stop.abort();
    await running;
    client.close();
    assert.deepEqual(errors, []);
    for (const kind of [CONFIG_MAPS, JOBS]) {
      const { items } = await api.adminClient.list(kind, { labelSelector });
      for (const item of items) await api.adminClient.delete(refOf(item));
    }
  });

  const follow = () =>
    new Store({
      manager,
      kinds: KINDS,
      client,
      clock: systemClock,
      onChange: ({ metadata }, type) => changes.push(`${type} ${metadata.name}`),
      onError: (kind, error) => errors.push(`${kind}: ${error}`),
    });
  const apply = (object: KubeObject, by = client) => by.apply(stamped(object), { fieldManager: manager });
  const known = (object: KubeObject) => store.get(refOf(object));
  test('a kind without its CRD has no objects, and is no error', () => {
    assert.ok(store.follows(ABSENT));
    assert.deepEqual([...store.all(ABSENT)], []);
  });

  test('of an object its essence is known, and what is to be kept', async () => {
    await apply(configMap('a', { x: '1' }), api.adminClient);
    await apply(job('b'), api.adminClient);
    await until('both are known', () => Boolean(known(configMap('a')) && known(job('b'))));
    const essence = known(configMap('a'));
    assert.ok(essence?.ours);
    assert.equal(essence?.body, undefined);
    const kept = known(job('b'));
    assert.equal((kept && asObject(kept))?.['name'], 'b');
    const names = store.list(CONFIG_MAPS, 'default', 'users', 'relay').map(({ metadata }) => metadata.name);
    assert.deepEqual(names, ['a']);
    assert.deepEqual(store.list(CONFIG_MAPS, 'default', 'users', 'ingest'), []);
  });

  test('the answer to a write is known at once, and what the watch tells of it is no news', async () => {
    const written = await apply(configMap('mine'));
    assert.equal(known(configMap('mine'))?.metadata.resourceVersion, written.metadata.resourceVersion);
    await apply(configMap('theirs'), api.adminClient);
    await until('the other one is told of', () => changes.length > 0);
    assert.deepEqual(changes, ['set theirs']);
  });

  test('an object that is labelled as of another instance is news to both', async () => {
    await apply(configMap('moved'));
    const own = { 'app.kubernetes.io/instance': 'others' };
    await api.adminClient.mergePatch(refOf(configMap('moved')), { metadata: { labels: own } });
    await until('both are told', () => changes.length > 1);
    assert.deepEqual(changes, ['set moved', 'deleted moved']);
  });

  test('what happens to an object while it is written is news', async () => {
    await apply(configMap('mine'));
    await store.around(refOf(configMap('mine')), async () => {
      const written = await apply(configMap('mine', { x: '1' }), api.adminClient);
      const theirs = await api.adminClient.mergePatch(refOf(configMap('mine')), { data: { x: '2' } });
      const { resourceVersion } = theirs.metadata;
      await until('both are heard', () => known(theirs)?.metadata.resourceVersion === resourceVersion);
      return written;
    });
    assert.deepEqual(changes, ['set mine']);
  });

  test('what happened to an object before another write of it is news', async () => {
    await apply(configMap('mine'));
    await store.around(refOf(configMap('mine')), async () => {
      const theirs = await api.adminClient.mergePatch(refOf(configMap('mine')), { data: { x: '2' } });
      const { resourceVersion } = theirs.metadata;
      await until('theirs is heard', () => known(theirs)?.metadata.resourceVersion === resourceVersion);
      return await apply(configMap('mine', { x: '1' }));
    });
    assert.deepEqual(changes, ['set mine']);
  });

  test('whether a wish stands is known without a read, also after drift and its repair', async () => {
    const wish = stamped(configMap('a', { x: '1' }));
    const stands = () => isApplied(wish, known(wish)?.applied);
    await apply(configMap('a', { x: '1' }));
    assert.ok(stands());
    assert.ok(known(wish)?.applied?.proved, 'it is remembered');
    const noted = await api.adminClient.mergePatch(refOf(wish), {
      metadata: { annotations: { note: 'mine' } },
    });
    const { resourceVersion } = noted.metadata;
    await until('the note is known', () => known(wish)?.metadata.resourceVersion === resourceVersion);
    assert.ok(known(wish)?.applied?.proved, 'what was proved still is');
    assert.ok(stands());
    await api.adminClient.mergePatch(refOf(wish), { data: { x: '2' } });
    await until('the drift is known', () => !stands());
    await apply(configMap('a', { x: '1' }));
    assert.ok(stands());
  });

  test('a store that begins later knows by itself what stands', async () => {
    const wish = stamped(configMap('a', { x: '1' }));
    await apply(configMap('a', { x: '1' }));
    const later = follow();
    const ended = new AbortController();
    const run = later.run(ended.signal);
    await later.synced;
    assert.ok(isApplied(wish, later.get(refOf(wish))?.applied));
    ended.abort();
    await run;
  });

  test('what is being deleted is known to be, and what is gone is forgotten', async () => {
    await apply(configMap('a'));
    await api.adminClient.mergePatch(refOf(configMap('a')), {
      metadata: { finalizers: ['userstream.dev/test'] },
    });
    await api.adminClient.delete(refOf(configMap('a')));
    await until('it is terminating', () => known(configMap('a'))?.terminating !== undefined);
    assert.deepEqual(known(configMap('a'))?.terminating, ['userstream.dev/test']);
    await api.adminClient.mergePatch(refOf(configMap('a')), { metadata: { finalizers: null } });
    await until('it is gone', () => known(configMap('a')) === undefined);
    assert.deepEqual(store.list(CONFIG_MAPS, 'default', 'users', 'relay'), []);
  });
});
