import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ApiServer } from '../../test/apiserver.ts';
import { startApiServer } from '../../test/apiserver.ts';
import { ManualClock } from '../../test/manual-clock.ts';
import { until } from '../../test/until.ts';
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

  function recorder(isBusy = () => false) {
    const clock = new ManualClock();
    const errors: unknown[] = [];
    const events = new EventRecorder({
      client: api.adminClient,
      clock,
      controller: 'userstream.dev/operator',
      instance: 'operator-0',
      isBusy,
      onError: (error) => errors.push(error),
    });
    const begin = (reason: string, message: string) =>
      events.record(about, { type: 'Warning', reason, action: 'Reconcile', message });
    const record = async (reason: string, message: string) => {
      begin(reason, message);
      await events.written();
    };
    return { clock, errors, events, begin, record };
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

  test('while there is other work, events go one by one with pauses, and then all in their order', async () => {
    let busy = true;
    const { clock, errors, events, begin } = recorder(() => busy);
    for (const reason of ['First', 'Second', 'Third']) begin(reason, '');
    const reasons = ['First', 'Second', 'Third'];
    const told = async () => {
      const found = await Promise.all(reasons.map(written));
      return reasons.filter((_, index) => found[index]?.length === 1);
    };
    await clock.advance(99);
    assert.deepEqual(await told(), []);
    await clock.advance(1);
    await until('the first is written', async () => (await told()).length > 0);
    assert.deepEqual(await told(), ['First']);
    busy = false;
    await clock.advance(100);
    await events.written();
    assert.deepEqual(await told(), reasons);
    assert.deepEqual(errors, []);
  });

  test('an event that could not be written is told of, and written when it comes again', async () => {
    const gone: KubeObject = { ...about, metadata: { ...about.metadata, namespace: 'none', uid: 'gone' } };
    const { errors, events } = recorder();
    for (const count of [1, 2]) {
      events.record(gone, { type: 'Normal', reason: 'Gone', action: 'Reconcile', message: '' });
      await events.written();
      assert.equal(errors.length, count);
    }
    assert.match(String(errors[0]), /namespaces "none" not found/);
  });

  const messages: [reason: string, message: string, note: string][] = [
    ['Long', 'x'.repeat(5_000), `${'x'.repeat(1021)}…`],
    ['LongInCyrillic', 'ж'.repeat(1_000), `${'ж'.repeat(510)}…`],
    ['LongInPictures', `x${'🙂'.repeat(300)}`, `x${'🙂'.repeat(255)}…`],
    ['JustFits', 'ж'.repeat(512), 'ж'.repeat(512)],
  ];
  for (const [reason, message, note] of messages) {
    test(`a message of any length and script is accepted: ${reason}`, async () => {
      const { errors, record } = recorder();
      await record(reason, message);
      assert.deepEqual(errors, []);
      assert.deepEqual(
        (await written(reason)).map((event) => event.note),
        [note],
      );
    });
  }
});
