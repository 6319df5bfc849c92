import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ApiServer } from '../../test/apiserver.ts';
import { startApiServer } from '../../test/apiserver.ts';
import { startProxy } from '../../test/proxy.ts';
import { until } from '../../test/until.ts';
import { KubeClient } from './client.ts';
import { systemClock } from './clock.ts';
import type { Lease } from './lease.ts';
import { LeaderElector } from './lease.ts';
import { refOf } from './object.ts';

describe('leader election against a real API server', () => {
  let api: ApiServer;

  before(async () => {
    api = await startApiServer();
  });
  after(() => api?.stop());

  function candidate(
    name: string,
    identity: string,
    { client = api.adminClient, durationSeconds = 60, clock = systemClock } = {},
  ) {
    const stop = new AbortController();
    const log: string[] = [];
    const elector = new LeaderElector({
      client,
      clock,
      namespace: 'default',
      name,
      identity,
      onStarted: () => log.push('started'),
      onLost: () => log.push('lost'),
      onError: () => {},
      durationSeconds,
      retryMs: 50,
    });
    const running = elector.run(stop.signal);
    const end = async () => {
      stop.abort();
      await running;
      await elector.release();
    };
    return { elector, log, end };
  }

  const read = (name: string) =>
    api.adminClient.get<Lease>({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      namespace: 'default',
      name,
    });

  test('one of two leads; when it gives up, the other follows without waiting for the lease to expire', async () => {
    const one = candidate('handover', 'one');
    await until('one leads', () => one.elector.isLeader());
    const two = candidate('handover', 'two');
    const first = (await read('handover'))?.spec;
    await until(
      'the lease was renewed',
      async () => (await read('handover'))?.spec?.renewTime !== first?.renewTime,
    );
    assert.equal(two.elector.isLeader(), false);
    await one.end();
    assert.equal(one.elector.isLeader(), false);
    await until('two leads', () => two.elector.isLeader());
    const spec = (await read('handover'))?.spec;
    assert.equal(spec?.holderIdentity, 'two');
    assert.ok((spec?.leaseTransitions ?? 0) > (first?.leaseTransitions ?? 0));
    assert.match(spec?.renewTime ?? '', /\.\d{6}Z$/);
    assert.deepEqual(one.log, ['started']);
    await two.end();
  });

  test('a leader that is cut off stops leading before another begins', async (t) => {
    const proxy = await startProxy(api);
    const client = new KubeClient(proxy.config);
    t.after(() => {
      client.close();
      return proxy.close();
    });
    const one = candidate('cut', 'one', { client, durationSeconds: 3 });
    await until('one leads', () => one.elector.isLeader());
    const two = candidate('cut', 'two', { durationSeconds: 3 });
    proxy.stall();
    let both = false;
    await until('two leads', () => {
      both ||= one.elector.isLeader() && two.elector.isLeader();
      return two.elector.isLeader();
    });
    assert.equal(both, false);
    assert.deepEqual(one.log, ['started', 'lost']);
    proxy.mend();
    await one.end();
    await two.end();
  });

  test('a leader whose lease bears the name of another is none any more, long before its deadline', async () => {
    const one = candidate('taken', 'one');
    await until('one leads', () => one.elector.isLeader());
    const lease = await read('taken');
    assert.ok(lease);
    await api.adminClient.mergePatch(refOf(lease), { spec: { holderIdentity: 'another' } });
    await until('one has lost', () => one.log.includes('lost'));
    assert.equal(one.elector.isLeader(), false);
    await one.end();
    assert.equal((await read('taken'))?.spec?.holderIdentity, 'another');
  });

  test('a leader whose machine was suspended past its deadline is none any more when it goes on', async () => {
    let suspendedMs = 0;
    const clock = { ...systemClock, date: () => new Date(Date.now() + suspendedMs) };
    const one = candidate('suspended', 'one', { clock });
    await until('one leads', () => one.elector.isLeader());
    suspendedMs = 40_000;
    assert.equal(one.elector.isLeader(), false);
    await until('one has lost', () => one.log.includes('lost'));
    await one.end();
  });

  test('of many candidates that start together one leads', async () => {
    const candidates = Array.from({ length: 5 }, (_, i) => candidate('crowd', `candidate-${i}`));
    const leaders = () => candidates.filter(({ elector }) => elector.isLeader()).length;
    await until('somebody leads', () => leaders() > 0);
    assert.equal(leaders(), 1);
    for (const { end } of candidates) await end();
  });
});
