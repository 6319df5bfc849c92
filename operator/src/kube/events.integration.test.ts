import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ApiServer } from '../../test/apiserver.ts';
import { startApiServer } from '../../test/apiserver.ts';
import { ManualClock } from '../../test/manual-clock.ts';
import { EventRecorder } from './events.ts';
import type { KubeObject } from './object.ts';

type Event = KubeObject & { note: string; reason: string; series?: { count: number } };

describe('events on a real API server', () => {
  let api: ApiServer;
  let about: KubeObject;

  before(async () => {
    api = await startApiServer();
    about = await api.adminClient.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'about', namespace: 'default' },
    });
  });
  after(() => api?.stop());

  function recorder() {
    const clock = new ManualClock();
    const errors: unknown[] = [];
    const events = new EventRecorder({
      client: api.adminClient,
      clock,
      controller: 'userstream.dev/operator',
      instance: 'operator-0',
      onError: (error) => errors.push(error),
    });
    const record = (reason: string, message: string) =>
      events.record(about, { type: 'Warning', reason, action: 'Reconcile', message });
    return { clock, errors, record };
  }

  const written = async (reason: string) => {
    const { items } = await api.adminClient.list<Event>({ apiVersion: 'events.k8s.io/v1', kind: 'Event' });
    return items.filter((event) => event.reason === reason);
  };

  test('repeats are counted in one event, which is written at most once a minute', async () => {
    const { clock, errors, record } = recorder();
    for (let i = 0; i < 10; i++) await record('BrokerUnreachable', 'no route');
    assert.deepEqual(
      (await written('BrokerUnreachable')).map((event) => event.series?.count),
      [undefined],
    );
    await clock.advance(61_000);
    await record('BrokerUnreachable', 'no route');
    assert.deepEqual(
      (await written('BrokerUnreachable')).map((event) => event.series?.count),
      [11],
    );
    assert.deepEqual(errors, []);
  });

  test('an object has 25 new events at once and then one a minute', async () => {
    const { clock, errors, record } = recorder();
    for (let i = 0; i < 40; i++) await record('Flood', `message ${i}`);
    assert.equal((await written('Flood')).length, 25);
    await clock.advance(60_000);
    for (let i = 40; i < 50; i++) await record('Flood', `message ${i}`);
    assert.equal((await written('Flood')).length, 26);
    assert.deepEqual(errors, []);
  });

  test('no more than a thousand events wait to be written', async () => {
    const { errors, record } = recorder();
    const all = Array.from({ length: 1_001 }, (_, i) => record('Heap', `message ${i}`));
    assert.equal(errors.length, 1);
    assert.match(String(errors[0]), /too many events wait: Heap of ConfigMap about/);
    await Promise.all(all);
    await record('Heap', 'one more');
    assert.equal(errors.length, 1);
  });

  test('a message of any length is accepted', async () => {
    const { errors, record } = recorder();
    await record('Long', 'x'.repeat(5_000));
    assert.deepEqual(errors, []);
    assert.equal((await written('Long')).length, 1);
  });
});
