import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { COLUMN_TYPES, type ColumnType } from './columns.ts';

/** Where a worker finds its configuration; the operator mounts a ConfigMap there. */
export const CONFIG_FILE = '/etc/userstream/config.json';

const port = z.int().min(1).max(65535);
const columnName = z.string().regex(/^[a-z][a-z0-9_]{0,47}$/);
const columnType = z.enum(Object.keys(COLUMN_TYPES) as [ColumnType, ...ColumnType[]]);

/**
 * One section a neighbour. The operator writes the sections a worker needs into its `config.json`;
 * credentials are not among them: they come by environment (`credentials`).
 */
export const sections = {
  pipeline: z.object({ namespace: z.string().min(1), name: z.string().min(1) }),
  source: z.object({
    url: z.url({ protocol: /^https?$/ }),
    batchSize: z.int().min(1).max(5000),
    intervalMs: z.int().min(1),
    seed: z.string(),
    nationalities: z.array(z.string().min(2)),
    rateLimit: z.object({ users: z.int().min(1), perMs: z.int().min(1) }),
  }),
  /** The columns beside the built-in ones. */
  fields: z.array(z.object({ name: columnName, type: columnType, path: z.string().min(1) })).default([]),
  postgres: z.object({
    host: z.string().min(1),
    port,
    database: z.string().min(1),
    tls: z.boolean(),
    publication: z.string().min(1),
    slot: z.string().regex(/^[a-z0-9_]{1,63}$/),
  }),
  kafka: z.object({
    bootstrapServers: z.array(z.string().min(1)).min(1),
    tls: z.boolean(),
    saslMechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
    compression: z.enum(['none', 'gzip']),
    topic: z.string().min(1),
    deadLetterTopic: z.string().min(1),
  }),
  /** How `provision` makes the topics; absent where Strimzi's topic operator makes them. */
  topics: z.object({
    partitions: z.int().min(1),
    replicas: z.int().min(1),
    config: z.record(z.string(), z.string()),
    deadLetterConfig: z.record(z.string(), z.string()),
  }),
  schemaRegistry: z.object({ url: z.url({ protocol: /^https?$/ }), subject: z.string().min(1) }),
  cassandra: z.object({
    contactPoints: z.array(z.string().min(1)).min(1),
    port,
    localDatacenter: z.string().min(1),
    keyspace: z.string().regex(/^[a-z][a-z0-9_]{0,47}$/),
    table: z.string().regex(/^[a-z][a-z0-9_]{0,47}$/),
    replicationFactor: z.int().min(1),
    tls: z.boolean(),
  }),
};

export type Sections = { [K in keyof typeof sections]: z.infer<(typeof sections)[K]> };

/** A configuration that can't be used; the message names each field, its fault and where it was read. */
export class ConfigError extends Error {}

/**
 * Checks `value` against `schema`.
 * @throws {ConfigError} naming every field that is wrong, as `kafka.topic: …`.
 */
export function parseConfig<T>(schema: z.ZodType<T>, value: unknown, origin: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `${issue.path.join('.') || '(root)'}: ${issue.message}`);
  throw new ConfigError(`${origin} is not usable: ${faults.join('; ')}`);
}

/** Reads and checks a worker's `config.json`. */
export function readConfig<T>(schema: z.ZodType<T>, file = CONFIG_FILE): T {
  return parseConfig(schema, JSON.parse(readFileSync(file, 'utf8')), file);
}

export type Credentials = { username: string; password: string };

/**
 * The user name and password of `system` from `<SYSTEM>_USERNAME` and `<SYSTEM>_PASSWORD`
 * (`POSTGRES`, `KAFKA`, `SCHEMA_REGISTRY`, `CASSANDRA`); undefined where neither is set.
 */
export function credentials(env: NodeJS.ProcessEnv, system: string): Credentials | undefined {
  const username = env[`${system}_USERNAME`];
  const password = env[`${system}_PASSWORD`];
  if (username === undefined && password === undefined) return undefined;
  if (!username || !password) {
    throw new ConfigError(`${system}_USERNAME and ${system}_PASSWORD must be set together, or neither`);
  }
  return { username, password };
}
