import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { ApiServer } from '../../test/apiserver.ts';
import { startApiServer } from '../../test/apiserver.ts';
import { startProxy } from '../../test/proxy.ts';
import type { KubeClient } from './client.ts';
import { KubeClient as Client } from './client.ts';
import {
  isAlreadyExists,
  isConflict,
  isInvalid,
  isNotServed,
  NoAnswerError,
  NotLeaderError,
} from './errors.ts';
import type { KubeObject } from './object.ts';
import { refOf } from './object.ts';
import type { RequestOptions } from './requests.ts';

type ConfigMap = KubeObject & { data?: Record<string, string> };

const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});

const manager = { fieldManager: 'userstream' };

describe('the client against a real API server', () => {
  let api: ApiServer;
  let client: KubeClient;

  before(async () => {
    api = await startApiServer();
    client = api.adminClient;
  });
  after(() => api?.stop());

  test('apply creates, changes nothing when nothing changes, updates, and takes away what it no longer wants', async () => {
    const created = await client.apply(configMap('a', { x: '1', y: '1' }), manager);
    const same = await client.apply(configMap('a', { x: '1', y: '1' }), manager);
    assert.deepEqual(same.metadata, created.metadata);
    const updated = await client.apply(configMap('a', { x: '2' }), manager);
    assert.equal(updated.metadata.uid, created.metadata.uid);
    assert.notEqual(updated.metadata.resourceVersion, created.metadata.resourceVersion);
    assert.deepEqual(updated.data, { x: '2' });
  });

  test("apply leaves other managers' fields, and takes over the ones it wants unless told not to", async () => {
    await client.apply(configMap('shared', { theirs: '1', both: '1' }), { fieldManager: 'somebody' });
    const mine = configMap('shared', { both: '2' });
    await assert.rejects(client.apply(mine, { ...manager, force: false }), isConflict);
    assert.deepEqual((await client.apply(mine, manager)).data, { theirs: '1', both: '2' });
  });

  test('apply with a precondition refuses an object that changed, went, or came back as another', async () => {
    const first = await client.apply(configMap('pre', { x: '1' }), manager);
    const { uid = '', resourceVersion = '' } = first.metadata;
    await client.apply(configMap('pre', { x: '2' }), manager);
    const stale = client.apply(configMap('pre', { x: '3' }), {
      ...manager,
      preconditions: { resourceVersion },
    });
    await assert.rejects(stale, isConflict);
    await client.delete(refOf(first));
    const gone = client.apply(configMap('pre', { x: '3' }), { ...manager, preconditions: { uid } });
    await assert.rejects(gone, isConflict);
    assert.equal(await client.get(refOf(first)), undefined);
    await client.create(configMap('pre'));
    const other = client.apply(configMap('pre', { x: '3' }), { ...manager, preconditions: { uid } });
    await assert.rejects(other, isConflict);
  });

  test('a field that the kind does not have is refused', async () => {
    const wrong = { ...configMap('wrong'), dta: {} };
    await assert.rejects(
      client.apply(wrong, manager),
      (error) => isInvalid(error) && /dta/.test(String(error)),
    );
  });

  test('the status is applied apart from the rest', async () => {
    const claim = (rest: object): KubeObject => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'claim', namespace: 'default' },
      ...rest,
    });
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    const created = await client.apply(claim({ spec }), manager);
    const status = { phase: 'Bound' };
    const answered = await client.applyStatus(claim({ status }), { fieldManager: 'status' });
    assert.deepEqual(answered['status'], status);
    assert.deepEqual(answered['spec'], created['spec']);
  });

  test('a merge patch takes fields away and honours its precondition', async () => {
    const made = await client.create(configMap('merge', { x: '1', y: '1' }));
    const patched = await client.mergePatch<ConfigMap>(refOf(made), { data: { x: null } });
    assert.deepEqual(patched.data, { y: '1' });
    const { resourceVersion = '' } = made.metadata;
    const stale = client.mergePatch(
      refOf(made),
      { data: { y: null } },
      { preconditions: { resourceVersion } },
    );
    await assert.rejects(stale, isConflict);
  });

  test('create refuses what is there already, get answers undefined for what is not', async () => {
    await client.create(configMap('once'));
    await assert.rejects(client.create(configMap('once')), isAlreadyExists);
    assert.equal(await client.get(refOf(configMap('never'))), undefined);
  });

  test('delete with a precondition spares an object that is no longer the one meant', async () => {
    const made = await client.create(configMap('doomed'));
    const { resourceVersion = '', uid = '' } = await client
      .apply(configMap('doomed', { x: '1' }), manager)
      .then((o) => o.metadata);
    const stale = { resourceVersion: made.metadata.resourceVersion ?? '' };
    await assert.rejects(client.delete(refOf(made), { preconditions: stale }), isConflict);
    const stranger = { uid: '00000000-0000-0000-0000-000000000000' };
    await assert.rejects(client.delete(refOf(made), { preconditions: stranger }), isConflict);
    assert.equal(await client.delete(refOf(made), { preconditions: { uid, resourceVersion } }), true);
    assert.equal(await client.delete(refOf(made)), false);
  });

  test('list reads all pages and each item says its kind', async () => {
    const names = Array.from({ length: 501 }, (_, i) => `many-${i}`);
    const labelled = (name: string) => ({
      ...configMap(name),
      metadata: { name, namespace: 'default', labels: { many: 'yes' } },
    });
    for (let i = 0; i < names.length; i += 50) {
      await Promise.all(names.slice(i, i + 50).map((name) => client.create(labelled(name))));
    }
    const kind = { apiVersion: 'v1', kind: 'ConfigMap' };
    const { items } = await client.list(kind, { labelSelector: 'many=yes' });
    assert.deepEqual(items.map((item) => item.metadata.name).sort(), names.sort());
    assert.deepEqual(new Set(items.map((item) => item.kind)), new Set(['ConfigMap']));
  });

  test('a kind whose CRD is not installed is told apart from an object that is missing', async () => {
    const kafka = { apiVersion: 'kafka.strimzi.io/v1', kind: 'Kafka', namespace: 'default', name: 'a' };
    await assert.rejects(client.get(kafka), isNotServed);
  });

  test('a fenced client begins no write once it may not, and still reads', async () => {
    let leads = true;
    const fenced = client.with({ mayWrite: () => leads });
    const made = await fenced.create(configMap('fenced'));
    leads = false;
    await assert.rejects(fenced.apply(configMap('fenced', { x: '1' }), manager), NotLeaderError);
    await assert.rejects(fenced.delete(refOf(made)), NotLeaderError);
    assert.deepEqual((await fenced.get(refOf(made)))?.metadata, made.metadata);
  });

  /** What asks the API server, over a wire that can be cut, for what isn't there; it has got an answer already. */
  async function asking(t: TestContext, options: RequestOptions = {}) {
    const proxy = await startProxy(api);
    const far = new Client(proxy.config, options);
    t.after(() => {
      far.close();
      return proxy.close();
    });
    const ask = () => far.get(refOf(configMap('never')));
    assert.equal(await ask(), undefined);
    return { proxy, ask };
  }

  test('a read whose connection is cut is begun once more', async (t) => {
    const { proxy, ask } = await asking(t);
    proxy.cut();
    const answer = ask();
    proxy.mend();
    assert.equal(await answer, undefined);
  });

  test('a server that can not be reached, or does not answer in time, is a NoAnswerError', async (t) => {
    const { proxy, ask } = await asking(t, { timeoutMs: 300 });
    proxy.stall();
    await assert.rejects(
      ask(),
      (error) => error instanceof NoAnswerError && /within 300 ms/.test(error.message),
    );
    proxy.cut();
    await assert.rejects(ask(), NoAnswerError);
    proxy.mend();
    assert.equal(await ask(), undefined);
  });
});
