import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { NAMESPACE, serve } from '../../test/pipelines.ts';
import { Scene } from '../../test/scene.ts';
import { until } from '../../test/until.ts';
import { systemClock } from '../kube/clock.ts';
import { createKubeMetrics } from '../kube/metrics.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import { createHandler } from './handler.ts';

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
});
