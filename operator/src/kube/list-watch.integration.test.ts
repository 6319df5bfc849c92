import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { ApiServer } from '../../test/apiserver.ts';
import { startApiServer } from '../../test/apiserver.ts';
import type { Wire } from '../../test/proxy.ts';
import { startProxy } from '../../test/proxy.ts';
import { until } from '../../test/until.ts';
import { KubeClient } from './client.ts';
import { systemClock } from './clock.ts';
import { isGone } from './errors.ts';
import { ListWatch } from './list-watch.ts';
import type { KubeObject } from './object.ts';
import { refOf } from './object.ts';
import type { Timings } from './timings.ts';

const kind = { apiVersion: 'v1', kind: 'ConfigMap' };
const quick: Partial<Timings> = { firstRetryMs: 20, maxRetryMs: 200 };

const configMap = (name: string, data: Record<string, string> = {}): KubeObject => ({
  ...kind,
  metadata: { name, namespace: 'default', labels: { watched: 'yes' } },
  data,
});

describe('the list-watch against a real API server', () => {
  let api: ApiServer;
  let proxy: Wire;
  let client: KubeClient;
  let requests: string[];
  let stop: AbortController;
  let running: Promise<void>;

  before(async () => {
    // Without its cache of ConfigMaps the server answers 410 as soon as etcd has compacted.
    api = await startApiServer({ flags: ['--watch-cache-sizes=configmaps#0'] });
  });
  after(() => api?.stop());

  beforeEach(async () => {
    proxy = await startProxy(api);
    requests = [];
    client = new KubeClient(proxy.config, {
      onRequest: ({ method, code }) => requests.push(`${method} ${code}`),
    });
    stop = new AbortController();
    running = Promise.resolve();
  });
  afterEach(async () => {
    stop.abort();
    await running;
    client.close();
    await proxy.close();
    const { items } = await api.adminClient.list(kind, { labelSelector: 'watched=yes' });
    for (const item of items) await api.adminClient.delete(refOf(item));
  });

  const apply = (name: string, data?: Record<string, string>) =>
    api.adminClient.apply(configMap(name, data), { fieldManager: 'test' });
  const remove = (name: string) => api.adminClient.delete(refOf(configMap(name)));

  function follow(timings: Partial<Timings> = {}) {
    const changes: string[] = [];
    const errors: unknown[] = [];
    const watch = new ListWatch<KubeObject>({
      client,
      kind,
      selection: { labelSelector: 'watched=yes' },
      transform: (object) => object,
      onChange: ({ type, key }) => changes.push(`${type} ${key}`),
      onError: (error) => errors.push(error),
      clock: systemClock,
      timings: { ...quick, ...timings },
    });
    running = watch.run(stop.signal);
    const seen = (...expected: string[]) =>
      until(`the changes are ${expected}`, () => String(changes) === String(expected), {
        state: () => ({ changes, errors: errors.map(String), requests }),
      });
    return { watch, changes, errors, seen };
  }

  test('what stands, is added, updated and deleted is seen', async () => {
    await apply('old');
    const { watch, seen } = follow();
    await watch.synced;
    assert.deepEqual([...watch.objects.keys()], ['default/old']);
    await apply('new');
    await seen('set default/old', 'set default/new');
    await apply('new', { x: '1' });
    await remove('old');
    await seen('set default/old', 'set default/new', 'set default/new', 'deleted default/old');
    assert.deepEqual(watch.objects.get('default/new')?.['data'], { x: '1' });
    assert.equal(watch.objects.has('default/old'), false);
  });

  test('an answer that comes after its object has gone does not bring it back', async () => {
    const { watch, seen } = follow();
    await watch.synced;
    const answer = await apply('a');
    await remove('a');
    await seen('set default/a', 'deleted default/a');
    watch.offer(answer);
    assert.equal(watch.objects.size, 0);
  });

  test('a watch that is cut resumes where it was, without a list', async () => {
    await apply('a');
    const { watch, errors, seen } = follow();
    await watch.synced;
    proxy.cut();
    await apply('b');
    await remove('a');
    await until('the cut is noticed', () => errors.length > 0);
    proxy.mend();
    await seen('set default/a', 'set default/b', 'deleted default/a');
    assert.equal(requests.filter((request) => request === 'GET 200').length, 1);
  });

  test('a watch that the server ends resumes without an error', async () => {
    const { watch, errors, seen } = follow({ watchSeconds: 1 });
    await watch.synced;
    await until('the third watch stands', () => requests.filter((r) => r === 'WATCH 200').length >= 3);
    await apply('a');
    await seen('set default/a');
    assert.deepEqual(errors, []);
  });

  test('a version that is too old (410) is listed anew, and what went meanwhile is known as deleted', async () => {
    await apply('a');
    await apply('b');
    const { watch, errors, seen } = follow();
    await watch.synced;
    proxy.cut();
    await until('the cut is noticed', () => errors.length > 0);
    await remove('a');
    const { metadata } = await apply('c');
    await compact(api, metadata.resourceVersion);
    proxy.mend();
    await seen('set default/a', 'set default/b', 'deleted default/a', 'set default/c');
    assert.ok(errors.some(isGone), 'the server answered 410');
  });

  test('an object deleted and made again under its name while unseen is a deletion and a new object', async () => {
    await apply('a');
    const { watch, errors, seen } = follow();
    await watch.synced;
    proxy.cut();
    await until('the cut is noticed', () => errors.length > 0);
    await remove('a');
    const { metadata } = await apply('a');
    await compact(api, metadata.resourceVersion);
    proxy.mend();
    await seen('set default/a', 'deleted default/a', 'set default/a');
    assert.equal(watch.objects.get('default/a')?.metadata.uid, metadata.uid);
  });

  test('a connection that goes silent is given up and made anew', async () => {
    const { watch, errors, seen } = follow({ silenceMs: 300 });
    await watch.synced;
    await until('the watch stands', () => requests.includes('WATCH 200'));
    proxy.stall();
    await apply('a');
    await until('the silence is noticed', () => errors.some((error) => /nothing heard/.test(String(error))));
    proxy.mend();
    await seen('set default/a');
  });

  test('the list is read anew from time to time, which changes nothing and is no error', async () => {
    await apply('a');
    const { watch, errors, seen } = follow({ relistMs: 200 });
    await watch.synced;
    await until('the third list', () => requests.filter((request) => request === 'GET 200').length >= 3);
    await seen('set default/a');
    assert.deepEqual(errors, []);
  });

  test('a server that does not know the kind is heard all the same', async () => {
    const silent: number[] = [];
    const watch = new ListWatch<KubeObject>({
      client,
      kind: { apiVersion: 'kafka.strimzi.io/v1', kind: 'Kafka' },
      transform: (object) => object,
      onChange: () => {},
      onError: () => silent.push(watch.silentMs),
      clock: systemClock,
      timings: quick,
    });
    running = watch.run(stop.signal);
    await until('it was asked for four times', () => silent.length >= 4);
    assert.ok(Math.max(...silent) < 10, String(silent));
  });

  test('silence counts from the beginning, however long it was waited for', async () => {
    let waitedMs = 0;
    const silent: number[] = [];
    const watch = new ListWatch<KubeObject>({
      client,
      kind,
      transform: (object) => object,
      onChange: () => {},
      onError: () => silent.push(watch.silentMs),
      clock: { ...systemClock, now: () => systemClock.now() + waitedMs },
      timings: quick,
    });
    waitedMs = 11 * 60_000;
    proxy.cut();
    running = watch.run(stop.signal);
    await until('the first list has failed', () => silent.length > 0);
    assert.ok((silent[0] ?? 0) < 60_000, String(silent));
  });

  test('a server that is away is asked again with a back-off, not in a tight loop', async () => {
    proxy.cut();
    const { watch, errors } = follow({ firstRetryMs: 50, maxRetryMs: 5_000 });
    const began = performance.now();
    await until('five tries', () => errors.length >= 5);
    // Halves of 50, 100, 200, 400 at the least.
    assert.ok(performance.now() - began >= 375, 'the tries are spaced');
    assert.equal(watch.isSynced, false);
    proxy.mend();
    await watch.synced;
  });
});

async function compact(api: ApiServer, revision = ''): Promise<void> {
  const body = JSON.stringify({ revision, physical: true });
  const answer = await fetch(`${api.etcdUrl}/v3/kv/compaction`, { method: 'POST', body });
  assert.ok(answer.ok, await answer.text());
}
