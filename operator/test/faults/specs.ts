/** Pipelines to harm. */

type Spec = Record<string, unknown>;

/** The least that runs on an existing Kafka. */
export const LEAST: Spec = {
  source: { url: 'https://randomuser.me/api/1.4/' },
  kafka: { external: { bootstrapServers: 'kafka.kafka.svc:9092' } },
};

const secret = (name: string) => ({ secretRef: { name } });

/** All of it outside, encrypted so, each with all else that can be said of it. */
const outside = (tls: Spec): Spec => ({
  source: { url: 'https://randomuser.me/api/1.4/' },
  postgres: { external: { host: 'db.example', tls, ...secret('db') } },
  kafka: {
    topic: { name: 'own-name' },
    external: {
      bootstrapServers: 'kafka.example:9093',
      tls,
      authentication: { type: 'scram-sha-512', ...secret('kafka') },
    },
  },
  schemaRegistry: { external: { url: 'https://registry.example', ...secret('registry') } },
  cassandra: {
    external: { contactPoints: ['cassandra.example'], localDatacenter: 'dc1', tls, ...secret('cassandra') },
  },
  spark: { checkpoint: { uri: 's3a://bucket/checkpoint' } },
  audit: { postgresSecretRef: { name: 'audit-db' }, cassandraSecretRef: { name: 'audit-cassandra' } },
});

/** All of it the pipeline's own. */
const MANAGED: Spec = {
  source: { url: 'https://randomuser.me/api/1.4/' },
  fields: [{ name: 'latitude', type: 'double', path: 'location.coordinates.latitude' }],
  kafka: { strimzi: {} },
};

/** Pipelines that have, together, every property that there is. */
export const BASES: Record<string, Spec> = {
  managed: MANAGED,
  // Nothing goes unencrypted where a CA of one's own is named.
  'external, by public CAs': outside({ enabled: true }),
  external: outside({ enabled: true, caSecretRef: { name: 'ca', key: 'ca.crt' } }),
};

/** The Secrets that BASES name. */
export const SECRETS = ['db', 'kafka', 'registry', 'cassandra', 'ca', 'audit-db', 'audit-cassandra'];

/** The spec with `change` laid over it, field by field; undefined takes a field away. */
export function merged(spec: Spec, change: Spec): Spec {
  const entries = Object.entries(change).map(([key, value]): [string, unknown] => {
    const before = spec[key];
    return [key, isSpec(before) && isSpec(value) ? merged(before, value) : value];
  });
  const all = { ...spec, ...Object.fromEntries(entries) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function isSpec(value: unknown): value is Spec {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
