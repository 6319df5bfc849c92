import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Health } from './health.ts';
import { serveHttp } from './http.ts';
import { createMetrics } from './metrics.ts';

test('serves liveness, readiness with its reason or figures, and metrics', async () => {
  const health = new Health();
  const server = await serveHttp(health, createMetrics('test'), 0);
  const get = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
  try {
    assert.equal((await get('/healthz')).status, 200);
    health.notReady('Kafka', 'BrokerUnreachable', 'no broker; check its address');
    const unready = await get('/readyz');
    assert.equal(unready.status, 503);
    assert.deepEqual(await unready.json(), {
      ready: false,
      stage: 'Kafka',
      reason: 'BrokerUnreachable',
      message: 'no broker; check its address',
    });
    health.ready({ users: 5 });
    const ready = await get('/readyz');
    assert.equal(ready.status, 200);
    assert.deepEqual(await ready.json(), {
      ready: true,
      stage: 'Worker',
      reason: 'Running',
      message: '',
      figures: { users: 5 },
    });
    assert.match(
      await (await get('/metrics')).text(),
      /^userstream_process_cpu_seconds_total\{worker="test"\}/m,
    );
    assert.equal((await get('/else')).status, 404);
  } finally {
    await server.close();
  }
});
