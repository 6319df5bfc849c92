import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Health, StageError } from '../lib/health.ts';
import { isAbort } from '../lib/retry.ts';
import { until } from '../test/wait.ts';
import type { Outcome } from './audit.ts';
import { keepAuditing } from './auditor.ts';
import { auditMetrics } from './metrics.ts';

const INTACT: Outcome = { users: 5, rows: 5, differing: [], more: false, unsettled: 0 };

/** What is said after one audit that goes like this, and what Prometheus is told. */
async function afterOne(audit: () => Promise<Outcome>) {
  const [health, registry, stop] = [new Health(), new Registry(), new AbortController()];
  const running = keepAuditing({
    audit,
    intervalMs: 60_000,
    metrics: auditMetrics(registry),
    health,
    log: pino({ enabled: false }),
    signal: stop.signal,
  }).catch((error) => assert.ok(isAbort(error), String(error)));
  const said = await until('the audit to say something', () => {
    const status = health.snapshot();
    return status.intact?.reason === 'NotCompared' ? undefined : status;
  });
  stop.abort();
  await running;
  return { ...said, metrics: await registry.metrics() };
}

describe('the auditor', () => {
  test('says what came of an audit, with its figures', async () => {
    const { ready, intact, figures = {}, metrics } = await afterOne(async () => INTACT);
    assert.deepEqual([ready, intact?.status, figures['auditUsers']], [true, 'True', 5]);
    assert.ok(Math.abs(Date.now() / 1000 - (figures['auditedAt'] ?? 0)) < 60);
    assert.match(metrics, /^userstream_audit_users 5$/m);
    assert.match(metrics, /^userstream_audits_total\{intact="True"\} 1$/m);
  });

  test('says that it can’t tell, and why, where it could not compare', async () => {
    const { ready, intact, metrics } = await afterOne(async () => {
      throw new StageError('Spark', 'SparkUnreachable', 'its pod is down');
    });
    assert.deepEqual(intact, { status: 'Unknown', reason: 'SparkUnreachable', message: 'its pod is down' });
    assert.ok(ready, 'the worker itself is well');
    assert.doesNotMatch(metrics, /userstream_audit_users/);
  });
});
