import { collectDefaultMetrics, Registry } from 'prom-client';

/** A registry with Node's own metrics, all prefixed `userstream_` and labelled with the worker's name. */
export function createMetrics(worker: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ worker });
  collectDefaultMetrics({ register: registry, prefix: 'userstream_' });
  return registry;
}
