import { writeFileSync } from 'node:fs';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import { CONFIG_FILE, ConfigError, parseConfig, readConfig, sections } from './config.ts';
import { Health } from './health.ts';
import { serveHttp } from './http.ts';
import { createLogger, type Logger } from './logging.ts';
import { createMetrics } from './metrics.ts';

/** What a worker's body works with. `configFile` is for `readConfig` with the worker's own schema. */
export type WorkerContext = {
  health: Health;
  log: Logger;
  registry: Registry;
  signal: AbortSignal;
  configFile: string;
  env: NodeJS.ProcessEnv;
};

/** Where the kubelet reads why a container ended. */
const TERMINATION_LOG = '/dev/termination-log';
/** Below the 30 s that a pod is given by default. */
const SHUTDOWN_MS = 25_000;

const environment = z.object({
  HTTP_PORT: z.coerce.number().int().min(0).max(65535).default(8080),
  USERSTREAM_CONFIG: z.string().min(1).default(CONFIG_FILE),
});

/**
 * Runs a worker's process: HTTP endpoints, logs, metrics, and a signal that aborts on SIGTERM or SIGINT; then ends the
 * process: 0 when the body returned, `whenStopped` when it gave up because of the signal, 1 with a termination message on
 * an error.
 */
export async function runWorker(
  name: string,
  body: (context: WorkerContext) => Promise<void>,
  whenStopped = 0,
): Promise<void> {
  const shutdown = new AbortController();
  for (const event of ['SIGTERM', 'SIGINT'] as const) process.once(event, () => stopSoon(shutdown));
  try {
    await serve(name, body, shutdown.signal);
    process.exit(0);
  } catch (error) {
    if (shutdown.signal.aborted && (error as Error).name === 'AbortError') process.exit(whenStopped);
    explain(name, error);
    process.exit(1);
  }
}

async function serve(name: string, body: (context: WorkerContext) => Promise<void>, signal: AbortSignal) {
  const env = process.env;
  const { HTTP_PORT, USERSTREAM_CONFIG: configFile } = parseConfig(environment, env, 'the environment');
  const { pipeline } = readConfig(z.object({ pipeline: sections.pipeline }), configFile);
  const log = createLogger(name, pipeline);
  const health = new Health();
  const registry = createMetrics(name);
  const http = await serveHttp(health, registry, HTTP_PORT);
  log.info({ port: http.port }, 'started');
  try {
    await body({ health, log, registry, signal, configFile, env });
  } finally {
    await http.close();
    log.info('stopped');
  }
}

function stopSoon(shutdown: AbortController) {
  shutdown.abort();
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
}

/** A configuration's fault is told in its own words; anything else with its stack. */
function explain(name: string, error: unknown) {
  const text = error instanceof ConfigError ? error.message : String((error as Error).stack ?? error);
  process.stderr.write(`${name}: ${text}\n`);
  try {
    writeFileSync(TERMINATION_LOG, text.slice(0, 4000), { flag: 'r+' });
  } catch {
    // Not in a pod.
  }
}
