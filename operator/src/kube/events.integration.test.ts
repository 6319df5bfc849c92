import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ApiServer } from '../../test/apiserver.ts';
import { startApiServer } from '../../test/apiserver.ts';
import { ManualClock } from '../../test/manual-clock.ts';
import { until } from '../../test/until.ts';
import type { KubeClient } from './client.ts';
import { ApiError, NoAnswerError } from './errors.ts';
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

  function recorder(isBusy = () => false, client = api.adminClient) {
    const clock = new ManualClock();
    const errors: unknown[] = [];
    const events = new EventRecorder({
      client,
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

  test('repeats are counted in one event, which is written at most once a minute, the last included', async () => {
    const { clock, errors, events, record } = recorder();
    const counts = async () => {
      const events = await written('BrokerUnreachable');
      return events.map(({ series }) => series?.count ?? 1).sort((a, b) => a - b);
    };
    const repeat = async (times: number) => {
      for (let i = 0; i < times; i++) await record('BrokerUnreachable', 'no route');
    };
    await repeat(10);
    await clock.advance(60_000);
    await events.written();
    assert.deepEqual(await counts(), [1], 'nothing is written by the clock');
    await repeat(2);
    assert.deepEqual(await counts(), [11]);
    await clock.advance(7 * 60_000);
    await record('Other', 'another event');
    assert.deepEqual(await counts(), [12], 'the series is over');
    await repeat(2);
    assert.deepEqual(await counts(), [1, 12]);
    await events.close();
    assert.deepEqual(await counts(), [2, 12]);
    assert.deepEqual(errors, []);
  });

  test('an event whose answer was lost is written once, and one that the server is too busy for later', async () => {
    const failures = [new NoAnswerError('cut'), new ApiError(429, 'TooManyRequests', 'busy', 3_000)];
    const create = async (event: KubeObject) => {
      const failure = failures.shift();
      if (!failure || failure instanceof NoAnswerError) await api.adminClient.create(event);
      if (failure) throw failure;
    };
    const { clock, errors, events, begin } = recorder(() => false, { create } as unknown as KubeClient);
    const told = async () => [(await written('Cut')).length, (await written('Busy')).length];
    for (const reason of ['Cut', 'Busy']) begin(reason, '');
    await until('the answer is lost', () => failures.length === 1);
    await until('both are written', async () => {
      await clock.advance(3_000);
      return failures.length === 0 && (await told()).every((count) => count === 1);
    });
    await events.written();
    assert.deepEqual(await told(), [1, 1]);
    assert.deepEqual(errors, []);
  });

  test('a recorder that is closed gives up after five seconds what the server refuses', async () => {
    const create = () => Promise.reject(new ApiError(429, 'TooManyRequests', 'busy', 30_000));
    const { clock, errors, events, begin } = recorder(() => false, { create } as unknown as KubeClient);
    begin('Late', '');
    const closed = events.close();
    await clock.advance(5_000);
    await closed;
    await events.written();
    assert.equal(errors.length, 1);
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
