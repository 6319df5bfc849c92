import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { NAMESPACE, serve } from '../../test/pipelines.ts';
import { Scene, saying } from '../../test/scene.ts';
import { until } from '../../test/until.ts';
import type { KubeClient } from '../kube/client.ts';
import { systemClock } from '../kube/clock.ts';
import { type Report, unreachable } from '../status/reports.ts';
import { FIGURES_MS, renewFigures, type Said } from './figures.ts';
import { refTo } from './pipeline-object.ts';
import type { Access } from './reads.ts';
import { READY_MS } from './schedule.ts';
import { Watches } from './watches.ts';

/** Follows what stands on the API server, until it is stopped. */
async function follow(client: KubeClient): Promise<{ access: Access; stop: () => Promise<void> }> {
  const watches = new Watches({ client, clock: systemClock, wake: () => {}, onError: () => {} });
  const following = new AbortController();
  const running = watches.run(following.signal);
  await until('all is known', () => watches.access.store?.isSynced === true);
  const stop = async () => {
    following.abort();
    await running;
  };
  return { access: watches.access, stop };
}

/** The state of a pipeline that the watch has told of. */
const versionIn = ({ store }: Access, name: string) =>
  store?.get(refTo({ namespace: NAMESPACE, name }))?.metadata.resourceVersion;

describe('what the workers of a pipeline tell', () => {
  let server: ApiServer;

  before(async () => {
    server = await startApiServer();
    await serve(server);
  });
  after(() => server?.stop());

  test('figures are renewed where they differ, and touch nothing else', async () => {
    const scene = new Scene(server.adminClient, 'flowing');
    await scene.apply();
    await scene.reconcile();
    const key = `${NAMESPACE}/${scene.name}`;
    const renew = (told: Record<string, number>[]) =>
      renewFigures(key, scene.dependencies({ readReports: async () => told.map(saying) }), () => {});

    assert.deepEqual(await renew([]), {}, 'nobody tells any: nobody is asked again');
    const before = await scene.status();
    assert.deepEqual(
      await renew([
        { usersPerMinute: 60, lag: 5 },
        { lagBytes: 9, relayedForMs: 0 },
      ]),
      {
        requeueAfterMs: FIGURES_MS,
      },
    );
    const figures = { usersPerMinute: 60, lagRecords: 5, lagBytes: 9 };
    assert.deepEqual(await scene.status(), { ...before, figures });

    const version = await scene.version();
    await renew([
      { usersPerMinute: 60, lag: 5 },
      { lagBytes: 9, relayedForMs: 0 },
    ]);
    assert.equal(await scene.version(), version);
    await scene.reconcile();
    assert.deepEqual((await scene.status()).figures, figures, 'a reconcile keeps them');

    await scene.apply({ suspend: true });
    const changed = await scene.version();
    assert.deepEqual(await renew([{ usersPerMinute: 0 }]), { requeueAfterMs: FIGURES_MS });
    assert.equal(await scene.version(), changed, 'a change is seen by a reconcile first');
  });

  test('figures are not written on what a watch that lags has yet to tell', async () => {
    const scene = new Scene(server.adminClient, 'lagging');
    await scene.apply();
    await scene.reconcile();
    const { access, stop } = await follow(server.adminClient);
    await stop();
    const renew = (usersPerMinute: number) => {
      const readReports = async () => [saying({ usersPerMinute })];
      const dependencies = { ...scene.dependencies({ readReports }), ...access };
      return renewFigures(`${NAMESPACE}/${scene.name}`, dependencies, () => {});
    };

    await renew(60);
    assert.deepEqual((await scene.status()).figures, { usersPerMinute: 60 });
    await scene.annotate({ 'userstream.dev/replay-from': 'earliest' });
    assert.deepEqual(await renew(61), { requeueAfterMs: FIGURES_MS });
    assert.deepEqual((await scene.status()).figures, { usersPerMinute: 60 });
  });

  test('figures that the status says already cost no request', async (t) => {
    const scene = new Scene(server.adminClient, 'idle');
    await scene.apply();
    await scene.reconcile();
    let requests = 0;
    const { access, stop } = await follow(server.adminClient.with({ onRequest: () => requests++ }));
    t.after(stop);
    const said: Said = new Map();
    const costOf = async (usersPerMinute: number) => {
      const readReports = async () => [saying({ usersPerMinute })];
      const dependencies = { ...scene.dependencies({ readReports }), ...access };
      await until(
        'the watch has told',
        async () => versionIn(access, scene.name) === (await scene.version()),
      );
      const before = requests;
      await renewFigures(`${NAMESPACE}/${scene.name}`, dependencies, () => {}, said);
      return requests - before;
    };

    assert.equal(await costOf(60), 2, 'read and written');
    assert.equal(await costOf(60), 1, 'read, and found to say so');
    assert.equal(await costOf(60), 0);
    assert.equal(await costOf(61), 2);
    assert.equal(await costOf(61), 1);
    await scene.annotate({ anything: 'else' });
    assert.equal(await costOf(61), 1, 'whatever changed may have been the status');
    assert.equal(await costOf(61), 0);
  });

  test('workers that can no longer be asked wake a reconcile once, and once again when they can', async () => {
    const scene = new Scene(server.adminClient, 'unreached');
    await scene.run();
    const key = `${NAMESPACE}/${scene.name}`;
    const woken: string[] = [];
    const renew = async (...reports: Report[]) => {
      const readReports = async () => reports;
      await renewFigures(key, scene.dependencies({ readReports }), (pipeline) => woken.push(pipeline));
      return woken.length;
    };
    const answering = saying({ lag: 0 });
    const silent = unreachable('http://10.0.0.1:8080/readyz', 3);

    assert.equal(await renew(answering), 0);
    assert.deepEqual((await scene.status()).figures, { lagRecords: 0 });
    assert.equal(await renew(silent), 1);
    assert.equal((await scene.status()).figures, undefined, 'those of the last minute are not known');
    const { requeueAfterMs } = await scene.reconcile({ readReports: async () => [silent] });
    assert.equal(
      requeueAfterMs,
      READY_MS,
      'a look every few seconds would find no more than that they are silent',
    );
    assert.equal(await renew(silent), 1, 'that is known');
    assert.equal(await renew(answering), 2);
    await scene.reconcile({ readReports: async () => [answering] });
    assert.equal(await renew(answering), 2);
  });

  test('what the audit says becomes a condition, and something new wakes a reconcile', async () => {
    const scene = new Scene(server.adminClient, 'audited');
    await scene.apply();
    await scene.reconcile();
    const key = `${NAMESPACE}/${scene.name}`;
    const intact = { status: 'False', reason: 'DataDiffers', message: '3 of them differ' } as const;
    const auditedAt = Math.ceil(Date.now() / 1000);
    const audit = { ...saying({ auditedAt, auditUsers: 5 }), intact };
    const readReports = async () => [audit];
    const woken: string[] = [];
    const renew = () =>
      renewFigures(key, scene.dependencies({ readReports }), (pipeline) => woken.push(pipeline));

    await renew();
    assert.deepEqual(woken, [key]);
    const comparedTime = `${new Date(auditedAt * 1000).toISOString().slice(0, 19)}Z`;
    assert.deepEqual((await scene.status()).audit, { comparedTime, users: 5 });
    await scene.reconcile({ readReports });
    const told = (await scene.status()).conditions?.find(({ type }) => type === 'DataIntact');
    assert.deepEqual({ ...told, ...intact }, told);
    await renew();
    assert.deepEqual(woken, [key], 'what the condition says is no news');

    await scene.apply({ spark: { sql: 'SELECT id FROM users' } });
    const later = () => new Date((auditedAt + 60) * 1000);
    for (const _ of [1, 2]) {
      await scene.reconcile({ readReports, now: later });
      const { conditions = [] } = await scene.status();
      assert.equal(
        conditions.find(({ type }) => type === 'DataIntact')?.reason,
        'NotCompared',
        'it was compared as it was before',
      );
    }
  });
});
