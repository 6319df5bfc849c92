import { accessOf } from '../lib/access.ts';
import { readConfig } from '../lib/config.ts';
import { runWorker } from '../lib/main.ts';
import { keepAuditing } from './auditor.ts';
import { auditConfig } from './config.ts';
import { auditMetrics } from './metrics.ts';
import { runAudit } from './session.ts';

/** Compares Postgres with Cassandra again and again, and tells whether they are the same. It repairs nothing. */
await runWorker('audit', async ({ health, log, registry, signal, configFile, env }) => {
  const config = readConfig(auditConfig, configFile);
  const accessTo = accessOf(env);
  const access = { POSTGRES: accessTo('AUDIT_POSTGRES'), CASSANDRA: accessTo('AUDIT_CASSANDRA') };
  await keepAuditing({
    audit: () => runAudit({ config, access, log, signal }),
    intervalMs: config.audit.intervalMs,
    metrics: auditMetrics(registry),
    health,
    log,
    signal,
  });
});
