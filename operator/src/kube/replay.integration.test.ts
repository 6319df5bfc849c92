import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { FaultProxy } from '../../test/faults/proxy.ts';
import type { Answer } from '../../test/faults/tap.ts';
import { until } from '../../test/until.ts';
import { KubeClient } from './client.ts';
import { systemClock } from './clock.ts';
import { ListWatch } from './list-watch.ts';
import { type KubeObject, refOf } from './object.ts';

const kind = { apiVersion: 'v1', kind: 'ConfigMap' };

const configMap = (name: string, replayed = name): KubeObject => ({
  ...kind,
  metadata: { name, namespace: 'default', labels: { replayed } },
});

describe('an API server that tells of an older time', () => {
  let api: ApiServer;
  let proxy: FaultProxy;
  let client: KubeClient;
  let changes: string[];
  let errors: string[];
  let stop: AbortController;
  let running: Promise<void>;

  before(async () => {
    api = await startApiServer();
    proxy = new FaultProxy(api);
    const config = new KubeConfig();
    const server = `${await proxy.listen()}/operator`;
    config.loadFromClusterAndUser({ name: 'test', server, skipTLSVerify: false }, { name: 'test' });
    client = new KubeClient(config);
  });
  after(async () => {
    client?.close();
    await proxy?.close();
    await api?.stop();
  });
  beforeEach(() => {
    proxy.tap = {};
    changes = [];
    errors = [];
    stop = new AbortController();
    running = Promise.resolve();
  });
  afterEach(async () => {
    stop.abort();
    await running;
  });

  const apply = (name: string, replayed = name) =>
    api.adminClient.apply(configMap(name, replayed), { fieldManager: 'test' });
  const remove = (name: string) => api.adminClient.delete(refOf(configMap(name)));
  const changed = (...expected: string[]) =>
    until(`the changes are ${expected}`, () => String(changes) === String(expected), {
      state: () => changes,
    });

  /** Follows what is made, deleted and made under `name`, and answers what the server said first and all it said since. */
  async function followed(name: string, timings: { relistMs?: number; watchSeconds?: number }) {
    await apply(name);
    let list: Answer | undefined;
    const lines: string[] = [];
    proxy.tap = {
      response(_, answer) {
        list ??= answer;
        return undefined;
      },
      async *watch(_, told) {
        for await (const line of told) {
          lines.push(line);
          yield line;
        }
      },
    };
    const watch = new ListWatch<KubeObject>({
      client,
      kind,
      selection: { labelSelector: `replayed=${name}` },
      transform: (object) => object,
      onChange: ({ type, key }) => changes.push(`${type} ${key}`),
      onError: (error) => errors.push(String(error)),
      clock: systemClock,
      timings: { firstRetryMs: 20, maxRetryMs: 200, ...timings },
    });
    running = watch.run(stop.signal);
    await watch.synced;
    await remove(name);
    await apply(name);
    await changed(`set default/${name}`, `deleted default/${name}`, `set default/${name}`);
    return { watch, list, lines };
  }

  test('its list is not believed, and is asked for again', async () => {
    const { watch, list } = await followed('listed', { relistMs: 100 });
    const uid = watch.objects.get('default/listed')?.metadata.uid;
    proxy.tap = { request: ({ query }) => (query.has('watch') ? undefined : list) };
    await until('the old list is noticed', () => errors.some((error) => /was seen/.test(error)));
    assert.equal(watch.objects.get('default/listed')?.metadata.uid, uid);
    proxy.tap = {};
    const { length } = proxy.sent;
    await until('another watch follows a new list', () =>
      proxy.sent.slice(length).some(({ query }) => query.has('watch')),
    );
    assert.equal(changes.length, 3, 'nothing came back');
  });

  test('the events that its watch replays are not believed', async () => {
    const { lines, watch } = await followed('watched', { watchSeconds: 1 });
    const uid = watch.objects.get('default/watched')?.metadata.uid;
    let replayed = 0;
    proxy.tap = {
      async *watch(_, told) {
        for (const line of lines) yield line;
        replayed += 1;
        yield* told;
      },
    };
    await until('they were replayed twice', () => replayed >= 2);
    await apply('news', 'watched');
    await until('news are heard', () => changes.includes('set default/news'));
    assert.equal(changes.length, 4, String(changes));
    assert.equal(watch.objects.get('default/watched')?.metadata.uid, uid);
  });
});
