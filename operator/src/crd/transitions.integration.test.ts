import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { pipelineObject, SPEC, serve } from '../../test/pipelines.ts';
import type { PipelineStatus } from '../api/status.ts';
import { TRANSITIONS } from '../api/transitions.ts';

type Spec = Record<string, unknown>;
type Volumes = NonNullable<PipelineStatus['volumes']>;
type Change = { field: string; from?: Spec; to: Spec; wayRound: RegExp; volumes?: Volumes };

const existing = { secretRef: { name: 'credentials' } };
const NEW_PIPELINE = /make a new pipeline$/;

/** Every change that is refused once there is data. */
const refused: Change[] = [
  {
    field: 'postgres',
    from: { postgres: { managed: {} } },
    to: { postgres: { external: { host: 'db', ...existing } } },
    wayRound: NEW_PIPELINE,
  },
  { field: 'kafka', to: { kafka: { strimzi: {} } }, wayRound: NEW_PIPELINE },
  {
    field: 'cassandra',
    from: ring({}),
    to: { cassandra: { external: { contactPoints: ['ring'], localDatacenter: 'west' } } },
    wayRound: NEW_PIPELINE,
  },
  {
    field: 'schemaRegistry',
    from: { schemaRegistry: { managed: {} } },
    to: { schemaRegistry: { external: { url: 'http://registry' } } },
    wayRound: NEW_PIPELINE,
  },
  {
    field: 'fields',
    from: fields({ latitude: 'double', title: 'text' }),
    to: fields({ title: 'bigint', latitude: 'double' }),
    wayRound: /give the values of the new type another name$/,
  },
  ...volumeChanges('postgres.managed.storage', (storage) => ({
    postgres: { managed: { storage, maxSlotWalKeepSize: '1Gi' } },
  })),
  ...volumeChanges('kafka.strimzi.controllers.storage', (storage) => ({
    kafka: { strimzi: { controllers: { storage } } },
  })),
  ...volumeChanges('kafka.strimzi.brokers.storage', (storage) => ({
    kafka: { strimzi: { brokers: { storage } } },
  })),
  ...volumeChanges('spark.checkpoint.storage', (storage) => ({ spark: { checkpoint: { storage } } })),
  ...volumeChanges('cassandra.managed.storage', (storage) => ({ cassandra: { managed: { storage } } })),
  {
    field: 'postgres.managed.storage.size',
    from: { postgres: { managed: { storage: { size: '20Gi' } } } },
    to: { postgres: { managed: { storage: { size: '9Gi' } } } },
    wayRound: NEW_PIPELINE,
    volumes: [{ stage: 'Postgres', size: '10Gi' }],
  },
  {
    field: 'cassandra.managed.storage.size',
    from: ring({ managed: { storage: { size: '20Gi' } } }),
    to: ring({ managed: { storage: { size: '15Gi' } } }),
    wayRound: NEW_PIPELINE,
    volumes: [{ stage: 'Postgres', size: '10Gi' }],
  },
  {
    field: 'postgres.managed.image',
    from: postgresImage('registry:5000/postgres:15.7'),
    to: postgresImage('registry:5000/postgres:16.3@sha256:15ab'),
    wayRound: /dump it and restore it into a new pipeline, or use postgres\.external$/,
  },
  { field: 'cassandra.keyspace', to: ring({ keyspace: 'other' }), wayRound: NEW_PIPELINE },
  { field: 'cassandra.table', to: ring({ table: 'people' }), wayRound: NEW_PIPELINE },
  {
    field: 'cassandra.managed.config',
    from: ring({ managed: {} }),
    to: ring({ managed: { config: { num_tokens: '32' } } }),
    wayRound: NEW_PIPELINE,
  },
  {
    field: 'cassandra.managed.config',
    from: ring({ managed: { config: { num_tokens: '1', initial_token: '0' } } }),
    to: ring({ managed: { config: { num_tokens: '1', initial_token: '7' } } }),
    wayRound: NEW_PIPELINE,
  },
  { field: 'kafka.topic.name', to: topic({ name: 'people' }), wayRound: NEW_PIPELINE },
  {
    field: 'kafka.topic.replicas',
    to: topic({ replicas: 2 }),
    wayRound: /reassign the partitions with Kafka's own tool, or make a new pipeline$/,
  },
  { field: 'kafka.topic.partitions', to: topic({ partitions: 5 }), wayRound: NEW_PIPELINE },
  {
    field: 'kafka.topic.partitions',
    from: topic({ cleanup: ['compact'] }),
    to: topic({ cleanup: ['compact'], partitions: 12 }),
    wayRound: /set it beside compact, for as long as kafka\.topic\.retention lasts$/,
  },
  {
    field: 'kafka.strimzi.controllers.replicas',
    from: { kafka: { strimzi: {} } },
    to: { kafka: { strimzi: { controllers: { replicas: 5 } } } },
    wayRound: NEW_PIPELINE,
  },
  {
    field: 'spark.checkpoint.uri',
    to: { spark: { checkpoint: { uri: 's3a://bucket/checkpoint' } } },
    wayRound: NEW_PIPELINE,
  },
];

/** Changes that stay allowed once there is data. */
const allowed: { name: string; from?: Spec; to: Spec; volumes?: Volumes }[] = [
  {
    name: 'a volume that grows, in another unit',
    from: { postgres: { managed: { storage: { size: '10Gi' } } } },
    to: { postgres: { managed: { storage: { size: '0.1Ti' } } } },
  },
  {
    name: 'the size back that a volume could not follow',
    from: { postgres: { managed: { storage: { size: '20Gi' } } } },
    to: { postgres: { managed: { storage: { size: '10Gi' } } } },
    volumes: [{ stage: 'Postgres', size: '10Gi' }],
  },
  {
    name: "another minor version of Postgres, by the image's digest too",
    from: postgresImage('postgres:15.7'),
    to: postgresImage('postgres:15.8-bookworm@sha256:16ab'),
  },
  {
    name: 'an image of Postgres whose name says no version',
    from: postgresImage('postgres:15.7'),
    to: postgresImage('postgres@sha256:16ab'),
  },
  {
    name: 'more fields, fewer, and others in their order',
    from: fields({ latitude: 'double', title: 'text' }),
    to: fields({ age: 'bigint', title: 'text' }),
  },
  {
    name: 'another address of an existing registry',
    from: { schemaRegistry: { external: { url: 'http://registry' } } },
    to: { schemaRegistry: { external: { url: 'https://registry.example' } } },
  },
  {
    name: 'the number of tokens that a ring has, said in so many words, and other settings',
    from: ring({ managed: {} }),
    to: ring({ managed: { config: { num_tokens: '16', concurrent_reads: '64' } } }),
  },
  { name: 'more partitions', to: topic({ partitions: 12 }) },
  { name: 'fewer copies of a row', to: ring({ replicationFactor: 2 }) },
  { name: 'more copies of a row', from: ring({ replicationFactor: 1 }), to: ring({ replicationFactor: 3 }) },
  {
    name: 'fewer nodes, as many as there are copies',
    from: ring({ managed: { replicas: 4 } }),
    to: ring({ managed: { replicas: 3 } }),
  },
  {
    name: 'another host of an existing Postgres',
    from: existingPostgres('one'),
    to: existingPostgres('two'),
  },
];

function volumeChanges(field: string, spec: (storage: Spec) => Spec): Change[] {
  return [
    {
      field: `${field}.size`,
      from: spec({ size: '2Gi' }),
      to: spec({ size: '2047Mi' }),
      wayRound: NEW_PIPELINE,
    },
    {
      field: `${field}.className`,
      from: spec({}),
      to: spec({ className: 'fast' }),
      wayRound: NEW_PIPELINE,
    },
  ];
}

function fields(types: Record<string, string>): Spec {
  return { fields: Object.entries(types).map(([name, type]) => ({ name, type, path: 'name.title' })) };
}

function postgresImage(image: string): Spec {
  return { postgres: { managed: { image } } };
}

function existingPostgres(host: string): Spec {
  return { postgres: { external: { host, ...existing } } };
}

function topic(values: Spec): Spec {
  return { kafka: { ...SPEC.kafka, topic: values } };
}

function ring(values: Spec): Spec {
  return { cassandra: { managed: {}, ...values } };
}

describe('a change of the spec', () => {
  let server: ApiServer;
  before(async () => {
    server = await startApiServer();
    await serve(server);
  });
  after(() => server?.stop());

  const apply = (name: string, spec: Spec = {}) =>
    server.adminClient.apply(pipelineObject(name, spec), { fieldManager: 'test' });

  async function fillStores(name: string, volumes: Volumes = []): Promise<void> {
    const { spec, ...pipeline } = pipelineObject(name);
    const status = { dataSince: '2026-01-01T00:00:00Z', volumes };
    await server.adminClient.applyStatus({ ...pipeline, status }, { fieldManager: 'test' });
  }

  for (const [index, { field, from, to, wayRound, volumes }] of refused.entries()) {
    const which = volumes ? `${field} below what its volume has` : field;
    test(`of ${which} is refused once there is data, and only then`, async () => {
      const name = `refused-${index}`;
      for (const spec of [from, to, from]) await apply(name, spec);
      await fillStores(name, volumes);
      await assert.rejects(apply(name, to), ({ message }: Error) => {
        assert.ok(message.includes(` spec.${field}: Forbidden: once there is data, `), message);
        assert.match(message, wayRound);
        return true;
      });
    });
  }

  for (const [index, { name, from, to, volumes }] of allowed.entries()) {
    test(`to ${name} is allowed once there is data`, async () => {
      const pipeline = `allowed-${index}`;
      await apply(pipeline, from);
      await fillStores(pipeline, volumes);
      await apply(pipeline, to);
    });
  }
});

test('every field that a rule refuses to change is tried', () => {
  const tried = refused.map(({ field }) => `.spec.${field}`);
  assert.deepEqual(new Set(tried), new Set(TRANSITIONS.map(({ fieldPath }) => fieldPath)));
});
