import { z } from 'zod';
import { accessOf } from '../lib/access.ts';
import { readConfig, sections } from '../lib/config.ts';
import { StageError } from '../lib/health.ts';
import { runWorker } from '../lib/main.ts';
import { untilDone } from '../lib/retry.ts';
import { relayMetrics } from './figures.ts';
import { runSession, type SessionContext } from './session.ts';

const configSchema = z.object({
  pipeline: sections.pipeline,
  postgres: sections.postgres,
  kafka: sections.kafka,
  schemaRegistry: sections.schemaRegistry,
});

const LASTING_MS = 60_000;

/** Carries every change of the users table from Postgres's WAL into the Kafka topic. */
await runWorker('relay', async ({ health, log, registry, signal, configFile, env }) => {
  const config = readConfig(configSchema, configFile);
  const accessTo = accessOf(env);
  const access = {
    POSTGRES: accessTo('POSTGRES'),
    KAFKA: accessTo('KAFKA'),
    SCHEMA_REGISTRY: accessTo('SCHEMA_REGISTRY'),
  };
  const metrics = relayMetrics(registry);
  const context = { config, access, metrics, health, log, signal };
  while (!signal.aborted) await untilDone(() => runUntilWorn(context), context);
});

/** A session that lasted has earned a fresh count of failures, or the relay would come back slower year by year. */
async function runUntilWorn(context: SessionContext): Promise<void> {
  const began = Date.now();
  try {
    await runSession(context);
  } catch (error) {
    if (!(error instanceof StageError) || Date.now() - began < LASTING_MS) throw error;
    context.health.notReady(error.stage, error.reason, error.message);
    context.log.warn({ stage: error.stage, reason: error.reason, err: error }, error.message);
  }
}
