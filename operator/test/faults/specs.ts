/** Pipelines to harm. */

type Spec = Record<string, unknown>;

/** The least that runs on an existing Kafka. */
export const LEAST: Spec = {
  source: { url: 'https://randomuser.me/api/1.4/' },
  kafka: { external: { bootstrapServers: 'kafka.kafka.svc:9092' } },
};

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
