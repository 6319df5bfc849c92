import { z } from 'zod';
import { parseConfig } from '../lib/config.ts';
import { listen } from '../lib/http.ts';
import { createLogger } from '../lib/logging.ts';
import { Served } from './served.ts';
import { openServed } from './served-log.ts';
import { sourceListener } from './server.ts';

const number = z.coerce.number().int();

/** What the source is told by its environment; the rate is the real API's. */
const environment = z.object({
  SOURCE_PORT: number.min(0).max(65535).default(8080),
  SOURCE_LIMIT: number.min(0).default(Number.MAX_SAFE_INTEGER),
  SOURCE_RATE_USERS: number.min(1).default(20_000),
  SOURCE_RATE_PER_MS: number.min(1).default(300_000),
  /** The file that keeps what was served; without one the list ends with the process. */
  SOURCE_LOG: z.string().min(1).optional(),
});

const log = createLogger('source');
try {
  const settings = parseConfig(environment, process.env, 'the environment');
  const rate = { users: settings.SOURCE_RATE_USERS, perMs: settings.SOURCE_RATE_PER_MS };
  const served = settings.SOURCE_LOG === undefined ? new Served() : await openServed(settings.SOURCE_LOG);
  const listener = sourceListener({ limit: settings.SOURCE_LIMIT, rate, now: Date.now, served });
  const server = await listen(listener, settings.SOURCE_PORT);
  log.info({ port: server.port, limit: settings.SOURCE_LIMIT, rate }, 'started');
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void server.close().then(() => process.exit(0)));
  }
} catch (error) {
  process.stderr.write(`source: ${(error as Error).message}\n`);
  process.exit(1);
}
