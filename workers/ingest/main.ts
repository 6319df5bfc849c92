import pg from 'pg';
import { z } from 'zod';
import { credentials, readConfig, sections } from '../lib/config.ts';
import { runWorker } from '../lib/main.ts';
import { postgresClient } from '../lib/postgres.ts';
import { certificateAuthority } from '../lib/tls.ts';
import { ingest } from './ingest.ts';
import { IngestMetrics } from './metrics.ts';
import { Store } from './store.ts';

const config = z
  .object({ source: sections.source, postgres: sections.postgres })
  .refine(({ source }) => source.batchSize <= source.rateLimit.users, {
    path: ['source', 'batchSize'],
    message: 'a batch larger than source.rateLimit.users could never be fetched: lower it or raise the limit',
  });

const QUERY_TIMEOUT_MS = 60_000;

await runWorker('ingest', async ({ health, log, registry, signal, configFile, env }) => {
  const { source, postgres } = readConfig(config, configFile);
  const ca = certificateAuthority(env, 'POSTGRES');
  const pool = new pg.Pool({
    ...postgresClient(postgres, credentials(env, 'POSTGRES'), ca),
    max: 1,
    query_timeout: QUERY_TIMEOUT_MS,
    statement_timeout: QUERY_TIMEOUT_MS,
  });
  // An idle connection that breaks is made anew by the next query, which also reports what is wrong.
  pool.on('error', (error) => log.warn({ err: error }, 'the connection to Postgres broke'));
  try {
    const store = new Store(pool);
    const metrics = new IngestMetrics(registry, Date.now);
    await ingest({ source, postgres, store, health, log, metrics, signal, now: Date.now });
  } finally {
    await pool.end();
  }
});
