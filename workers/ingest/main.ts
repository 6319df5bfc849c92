import { hostname } from 'node:os';
import { z } from 'zod';
import { columnsOf, userColumns } from '../lib/columns.ts';
import { readConfig, sections } from '../lib/config.ts';
import { runWorker } from '../lib/main.ts';
import { Budget } from './budget.ts';
import { Claims } from './claims.ts';
import { ingest } from './ingest.ts';
import { IngestMetrics } from './metrics.ts';
import { openPool } from './pool.ts';
import { Purge } from './purge.ts';
import { budgetName, sequenceName } from './request.ts';
import { Store } from './store.ts';

const config = z
  .object({ source: sections.source, fields: sections.fields, postgres: sections.postgres })
  .refine(({ source }) => source.batchSize <= source.rateLimit.users, {
    path: ['source', 'batchSize'],
    message: 'a batch larger than source.rateLimit.users could never be fetched: lower it or raise the limit',
  });

await runWorker('ingest', async ({ health, log, registry, signal, configFile, env }) => {
  const { source, fields, postgres } = readConfig(config, configFile);
  const pool = openPool(postgres, env, log);
  // The pod's name: a container that was restarted takes up its own page at once.
  const owner = env['HOSTNAME'] || hostname();
  try {
    await ingest({
      source,
      fields,
      postgres,
      budget: new Budget(pool, budgetName(source), source.rateLimit),
      claims: new Claims(pool, sequenceName(source), owner),
      store: new Store(pool, userColumns(columnsOf(fields))),
      purge: new Purge(pool, Date.now),
      metrics: new IngestMetrics(registry, Date.now),
      health,
      log,
      signal,
      now: () => performance.now(),
    });
  } finally {
    await pool.end();
  }
});
