import { z } from 'zod';
import { sections } from '../lib/config.ts';

/** The audit's own section. */
export const auditSection = z.object({
  intervalMs: z.int().min(1),
  /** What the audit may read of each store. */
  usersPerSecond: z.int().min(1),
  /** The HTTP server of Spark's driver, which applies the SQL. */
  driverUrl: z.url({ protocol: /^https?$/ }),
});

/** The audit's `config.json`. */
export const auditConfig = z.object({
  pipeline: sections.pipeline,
  postgres: sections.postgres,
  cassandra: sections.cassandra,
  audit: auditSection,
});

export type AuditConfig = z.infer<typeof auditConfig>;
