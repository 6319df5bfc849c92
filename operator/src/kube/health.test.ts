import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { serveHealth } from './health.ts';
import { createKubeMetrics } from './metrics.ts';

test('health, readiness and metrics are served', async (t) => {
  const registry = new Registry();
  const metrics = createKubeMetrics(registry, 'userstreampipeline', 'userstream-operator');
  const problems: string[] = [];
  const server = await serveHealth({
    healthz: () => problems,
    readyz: () => ['not synced'],
    registry,
    port: 0,
  });
  t.after(() => server.close());
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return { code: answer.status, body: await answer.text() };
  };

  assert.deepEqual(await get('/healthz'), { code: 200, body: 'ok\n' });
  assert.deepEqual(await get('/readyz?verbose'), { code: 503, body: 'not synced\n' });
  problems.push('the queue is stuck');
  assert.deepEqual(await get('/healthz'), { code: 503, body: 'the queue is stuck\n' });
  assert.equal((await get('/nowhere')).code, 404);

  metrics.request({ method: 'PATCH', path: '/api/v1/nodes/a', code: 200, host: 'api:443' });
  metrics.reconciled('error', 0.2);
  metrics.queue.added();
  metrics.leader(true);
  metrics.follow({ workedSeconds: [0.5, 2] }, 4);
  const { body } = await get('/metrics');
  for (const line of [
    'rest_client_requests_total{code="200",method="PATCH",host="api:443"} 1',
    'controller_runtime_reconcile_total{controller="userstreampipeline",result="error"} 1',
    'controller_runtime_reconcile_errors_total{controller="userstreampipeline"} 1',
    'controller_runtime_reconcile_time_seconds_count{controller="userstreampipeline"} 1',
    'workqueue_adds_total{name="userstreampipeline"} 1',
    'workqueue_depth{name="userstreampipeline"} 0',
    'workqueue_longest_running_processor_seconds{name="userstreampipeline"} 2',
    'workqueue_unfinished_work_seconds{name="userstreampipeline"} 2.5',
    'controller_runtime_active_workers{controller="userstreampipeline"} 2',
    'controller_runtime_max_concurrent_reconciles{controller="userstreampipeline"} 4',
    'leader_election_master_status{name="userstream-operator"} 1',
  ]) {
    assert.ok(body.includes(`${line}\n`), `${line} is missing from\n${body}`);
  }
});
