import type { Access } from '../lib/access.ts';
import { cassandraClient, cassandraError } from '../lib/cassandra.ts';
import type { Logger } from '../lib/logging.ts';
import { audit, type Outcome } from './audit.ts';
import type { AuditConfig } from './config.ts';
import { SparkDriver } from './driver.ts';
import { streamHasPassed } from './passage.ts';
import { connectPostgres } from './postgres.ts';
import { Table } from './table.ts';
import { Throttle } from './throttle.ts';
import { Users } from './users.ts';

export type SessionContext = {
  config: AuditConfig;
  access: Record<'POSTGRES' | 'CASSANDRA', Access>;
  log: Logger;
  signal: AbortSignal;
};

/** How long users may be under way before the audit says that it can't tell. */
const PASSAGE_MS = 5 * 60_000;

/**
 * One audit, on connections of its own.
 * @throws {StageError} what keeps it from comparing; or the signal's AbortError
 */
export async function runAudit({ config, access, log, signal }: SessionContext): Promise<Outcome> {
  const driver = new SparkDriver(config.audit.driverUrl, signal);
  const { rows: _, ...shape } = await driver.project([]);
  const { query, close } = await connectPostgres(config.postgres, access.POSTGRES, log);
  const { credentials, ca } = access.CASSANDRA;
  const cassandra = cassandraClient(config.cassandra, credentials, ca);
  const stream = { query, slot: config.postgres.slot, driver, timeoutMs: PASSAGE_MS, signal };
  try {
    await cassandra.connect().catch((error) => {
      throw cassandraError(config.cassandra, error);
    });
    const table = new Table(cassandra, config.cassandra, shape.columns);
    return await audit({
      sides: { users: new Users(query, shape.view), table, shape, driver },
      throttle: new Throttle(config.audit.usersPerSecond, signal),
      passed: () => streamHasPassed(stream),
    });
  } finally {
    await Promise.all([close(), cassandra.shutdown().catch(() => {})]);
  }
}
