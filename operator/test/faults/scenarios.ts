import { until } from '../until.ts';
import type { Run } from './run.ts';
import { BASES, LEAST, merged, SECRETS } from './specs.ts';

/** A step of a pipeline's life; it ends when nothing is written any more. */
export type Step = { name: string; do(run: Run): Promise<void>; end(run: Run): Promise<void> };

export type Scenario = { name: string; before: Step[]; steps: Step[] };

type Spec = Record<string, unknown>;

/** What LEAST makes: one of Postgres, one of Spark, three of Cassandra. */
const VOLUMES = 5;

export const STRIMZI: Spec = { kafka: { external: undefined, strimzi: {} } };

const toReady = (run: Run) => run.ready();

export function apply(name: string, change: Spec = {}): Step {
  return { name, do: (run) => run.apply(merged(LEAST, change)), end: toReady };
}

/** The Secrets of a pipeline whose parts are outside; a user makes them once. */
export function makeSecrets(names: string[]): Step {
  return {
    name: `make the Secrets ${names.join(', ')}`,
    async do(run) {
      for (const name of names) await run.makeSecret(name);
    },
    end: async () => {},
  };
}

/** A spec that can't work, up to the status' saying why. */
export function broken(change: Spec, why: RegExp): Step {
  return { name: 'break', do: (run) => run.apply(merged(LEAST, change)), end: (run) => run.says(why) };
}

const remove: Step = { name: 'delete', do: (run) => run.delete(), end: (run) => run.gone() };

/** By somebody who thinks better of what was to become of the data. */
const keepAfterAll: Step = {
  name: 'keep the data, and delete at once',
  async do(run) {
    await run.apply(merged(LEAST, { deletionPolicy: 'Retain' }));
    await run.delete();
  },
  async end(run) {
    await run.gone();
    const claims = (await run.objects()).filter(({ kind }) => kind === 'PersistentVolumeClaim');
    const kept = claims.filter(({ metadata }) => !metadata.deletionTimestamp && !metadata.ownerReferences);
    if (kept.length !== VOLUMES) throw new Error(`${kept.length} of ${VOLUMES} volumes were kept`);
  },
};

/** Nobody tells here that all has arrived, for pods have no processes: draining goes on until the pipeline is resumed. */
export function suspend(change: Spec = {}): Step {
  return {
    ...broken(
      { ...change, suspend: true },
      /until the relay has published|none of the \d+ workers that are ready answers/,
    ),
    name: `suspend ${JSON.stringify(change)}`,
  };
}

export const recreate: Step = {
  name: 'delete and create again',
  async do(run) {
    await run.delete();
    await run.gone();
    await run.apply(LEAST);
  },
  end: toReady,
};

/** As soon as the name is free: what the pipeline owned is still being collected, or not yet. */
export const recreateAtOnce: Step = {
  name: 'delete and create again at once',
  async do(run) {
    await run.delete();
    await until('the pipeline is gone', async () => !(await run.pipeline()), { ms: run.limitMs });
    await run.apply(LEAST);
  },
  end: toReady,
};

const changed = (component: string, change: Spec): Scenario => ({
  name: `change ${component}`,
  before: [apply('create')],
  steps: [apply('change', change)],
});

const memory = (amount: string) => ({ resources: { limits: { memory: amount } } });

export const CREATED: Scenario = { name: 'create', before: [], steps: [apply('create')] };

export const CREATED_WITH_STRIMZI: Scenario = {
  name: 'create with a Kafka by Strimzi',
  before: [],
  steps: [apply('create', STRIMZI)],
};

export const SCENARIOS: Scenario[] = [
  CREATED,
  CREATED_WITH_STRIMZI,
  changed('the source', { source: { batchSize: 100 } }),
  changed('the ingest', { ingest: memory('1Gi') }),
  changed('Postgres', { postgres: { managed: memory('2Gi') } }),
  changed('the relay', { relay: { compression: 'none' } }),
  changed('Kafka', { kafka: { external: { bootstrapServers: 'other.kafka.svc:9092' } } }),
  changed('the topic', { kafka: { topic: { retention: '24h' } } }),
  changed('the schema registry', { schemaRegistry: { managed: memory('2Gi') } }),
  changed("the registry's replicas", { schemaRegistry: { managed: { replicas: 2 } } }),
  changed('Spark', { spark: { sql: 'SELECT id FROM users' } }),
  changed('Cassandra', { cassandra: { managed: { config: { concurrent_reads: '16' } } } }),
  changed('the fields', { fields: [{ name: 'city', path: 'location.city' }] }),
  changed('the audit', { audit: { interval: '10m', ...memory('1Gi') } }),
  changed('the size of volumes', { cassandra: { managed: { storage: { size: '30Gi' } } } }),
  {
    name: 'scale out and in',
    before: [apply('create')],
    steps: [apply('out', { ingest: { replicas: 3 }, relay: { replicas: 3 } }), apply('in')],
  },
  {
    name: 'suspend and resume',
    before: [apply('create')],
    steps: [suspend(), apply('resume')],
  },
  { name: 'delete, keeping the data', before: [apply('create')], steps: [remove] },
  {
    name: 'delete with the data',
    before: [apply('create', { deletionPolicy: 'Delete' })],
    steps: [remove],
  },
  {
    name: 'delete, keeping the data after all',
    before: [apply('create', { deletionPolicy: 'Delete' })],
    steps: [keepAfterAll],
  },
  { name: 'delete with a Kafka by Strimzi', before: [apply('create', STRIMZI)], steps: [remove] },
  {
    name: 'delete with what lies outside',
    before: [makeSecrets(SECRETS), apply('create', { ...BASES['external'], deletionPolicy: 'Delete' })],
    steps: [remove],
  },
  { name: 'delete and create again', before: [apply('create')], steps: [recreate] },
];

/** Plays steps one after another, each to its end. */
export async function play(run: Run, steps: Step[]): Promise<void> {
  for (const step of steps) {
    await step.do(run);
    await step.end(run);
  }
}
