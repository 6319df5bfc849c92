import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { NAMESPACE, serve } from '../../test/pipelines.ts';
import { Scene, saying } from '../../test/scene.ts';
import { until } from '../../test/until.ts';
import { systemClock } from '../kube/clock.ts';
import { createKubeMetrics } from '../kube/metrics.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import { type Report, unreachable } from '../status/reports.ts';
import { FIGURES_MS, renewFigures } from './figures.ts';
import { createHandler } from './handler.ts';
import { READY_MS } from './schedule.ts';
import { Watches } from './watches.ts';

type Line = { level: number; namespace: string; name: string; reconcileID: string; writes?: string[] };

/** An admission webhook that nobody answers: the API server answers 500 to all writes of ConfigMaps. */
const DOWN: KubeObject = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'down' },
  webhooks: [
    {
      name: 'down.userstream.dev',
      clientConfig: { url: 'https://127.0.0.1:9/' },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }],
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
    },
  ],
};

describe('what is done with a key of the queue', () => {
  let server: ApiServer;

  before(async () => {
    server = await startApiServer();
    await serve(server);
  });
  after(() => server?.stop());

  test('a reconcile is counted, and logs what it wrote under an id of its own', async () => {
    const scene = new Scene(server.adminClient, 'logged');
    await scene.apply();
    const lines: Line[] = [];
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const registry = new Registry();
    const metrics = createKubeMetrics(registry, 'userstreampipeline', 'lease');
    const handle = createHandler(scene.dependencies(), { clock: systemClock, metrics, log });
    const key = `${NAMESPACE}/${scene.name}`;

    const { requeueAfterMs = 0 } = await handle(key, 0);
    assert.ok(requeueAfterMs >= 3000 && requeueAfterMs <= 3600, `${requeueAfterMs}`);
    assert.equal(lines.length, 1);
    const [line] = lines;
    assert.deepEqual([line?.namespace, line?.name], [NAMESPACE, 'logged']);
    assert.match(line?.reconcileID ?? '', /^[0-9a-f-]{36}$/);
    for (const write of [
      'PATCH userstreampipelines/logged/status',
      'PATCH userstreampipelines/logged',
      'PATCH statefulsets/logged-postgres',
    ])
      assert.ok(line?.writes?.includes(write), `${write} is missing from ${line?.writes}`);

    await handle(key, 0);
    assert.equal(lines.length, 1, 'nothing written, nothing logged');
    assert.match(await registry.metrics(), /controller_runtime_reconcile_total\{.*"requeue_after"\} 2/);
  });

  test('a failure that lasts is told by the status, once, and no longer than it lasts', async () => {
    const { adminClient } = server;
    const scene = new Scene(adminClient, 'failing');
    await scene.apply();
    await scene.reconcile();
    const [before] = (await scene.status()).conditions ?? [];
    await adminClient.apply(DOWN, { fieldManager: 'test' });
    const metrics = createKubeMetrics(new Registry(), 'userstreampipeline', 'lease');
    const log = pino({ level: 'silent' });
    const handle = createHandler(scene.dependencies(), { clock: systemClock, metrics, log });
    const run = (failures: number) => handle(`${NAMESPACE}/${scene.name}`, failures);
    await scene.apply({ postgres: { managed: { maxSlotWalKeepSize: '3Gi' } } });
    const refused = { code: 500, message: /failed calling webhook/ };
    await until('the webhook is called', () =>
      run(0).then(
        () => false,
        ({ code }) => code === 500,
      ),
    );

    const changed = await scene.version();
    for (const failures of [0, 8]) await assert.rejects(run(failures), refused);
    assert.equal(await scene.version(), changed, 'it may be passing');

    await assert.rejects(run(9), refused);
    const { conditions = [] } = await scene.status();
    const told = Object.fromEntries(
      conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]),
    );
    assert.deepEqual(
      [told['Ready'], told['Reconciling'], told['Stalled'], told['PostgresReady']],
      ['False ApiError', 'True ApiError', 'False ApiError', 'False Starting'],
    );
    assert.match(conditions[0]?.message ?? '', /500 InternalError to PATCH .*configmaps\/failing-postgres: /);
    assert.equal(conditions[0]?.observedGeneration, (before?.observedGeneration ?? 0) + 1);

    const version = await scene.version();
    for (const failures of [10, 15, 19]) await assert.rejects(run(failures), refused);
    assert.equal(await scene.version(), version, 'nothing is written in vain');

    await adminClient.delete(refOf(DOWN));
    await until('it can be written again', () => run(20).then(Boolean, () => false));
    assert.equal(await scene.reason(), 'PostgresStarting');
  });

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
    const watches = new Watches({
      client: server.adminClient,
      clock: systemClock,
      wake: () => {},
      onError: () => {},
    });
    const lagging = new AbortController();
    const running = watches.run(lagging.signal);
    await until('it is known', () => watches.access.store?.isSynced === true);
    lagging.abort();
    await running;
    const renew = (usersPerMinute: number) => {
      const readReports = async () => [saying({ usersPerMinute })];
      const dependencies = { ...scene.dependencies({ readReports }), ...watches.access };
      return renewFigures(`${NAMESPACE}/${scene.name}`, dependencies, () => {});
    };

    await renew(60);
    assert.deepEqual((await scene.status()).figures, { usersPerMinute: 60 });
    await scene.annotate({ 'userstream.dev/replay-from': 'earliest' });
    assert.deepEqual(await renew(61), { requeueAfterMs: FIGURES_MS });
    assert.deepEqual((await scene.status()).figures, { usersPerMinute: 60 });
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
    assert.equal(await renew(silent), 1);
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
