import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../test/apiserver.ts';
import { pipelineObject, SPEC, serve } from '../../test/pipelines.ts';
import { pipelineSpec } from '../api/pipeline.ts';
import { LONGEST_NAME, LONGEST_STRIMZI_NAME, openApiSchema } from './definition.ts';
import { walk } from './walk.ts';

type Rule = { rule: string; message: string };
type Refusal = { name: string; metadata?: string; spec: Record<string, unknown>; says: RegExp };

const refusals: Refusal[] = [
  {
    name: 'both strimzi and external',
    spec: { kafka: { strimzi: {}, external: SPEC.kafka.external } },
    says: /spec\.kafka.*set exactly one of strimzi and external/s,
  },
  {
    name: 'neither of them',
    spec: { kafka: {} },
    says: /spec\.kafka.*set exactly one of strimzi and external/s,
  },
  {
    name: 'neither of managed and external Postgres',
    spec: { postgres: {} },
    says: /spec\.postgres.*set exactly one of managed and external/s,
  },
  {
    name: 'both a managed and an external registry',
    spec: { schemaRegistry: { managed: {}, external: { url: 'http://registry' } } },
    says: /spec\.schemaRegistry.*set exactly one of managed and external/s,
  },
  {
    name: 'neither of managed and external Cassandra',
    spec: { cassandra: { keyspace: 'users' } },
    says: /spec\.cassandra.*set exactly one of managed and external/s,
  },
  {
    name: 'a batch that the rate limit never allows',
    spec: { source: { ...SPEC.source, batchSize: 500, rateLimit: { users: 400 } } },
    says: /spec\.source\.batchSize.*must not exceed source\.rateLimit\.users/s,
  },
  {
    name: 'a login of the audit to a managed Postgres',
    spec: { audit: { postgresSecretRef: { name: 'reader' } } },
    says: /spec\.audit\.postgresSecretRef.*of use only with postgres\.external/s,
  },
  {
    name: 'a login of the audit to a managed Cassandra',
    spec: { audit: { cassandraSecretRef: { name: 'reader' } } },
    says: /spec\.audit\.cassandraSecretRef.*of use only with cassandra\.external/s,
  },
  {
    name: 'a batch past 5000',
    spec: { source: { ...SPEC.source, batchSize: 5001 } },
    says: /spec\.source\.batchSize.*less than or equal to 5000/s,
  },
  ...Object.entries({
    'source.interval': { source: { ...SPEC.source, interval: '527041m' } },
    'source.rateLimit.per': { source: { ...SPEC.source, rateLimit: { per: '31622401s' } } },
    'spark.trigger': { spark: { trigger: '8785h' } },
    'audit.interval': { audit: { interval: '367d' } },
    'cassandra.managed.repair.interval': {
      cassandra: { managed: { repair: { interval: '999999999d' } } },
    },
  }).map(([field, spec]) => ({
    name: `more than a year as ${field}`,
    spec,
    says: new RegExp(`spec\\.${field.replaceAll('.', '\\.')}.*must be at most 366d \\(8784h\\)`, 's'),
  })),
  {
    name: 'a retention in which Spark could not be restarted',
    spec: { kafka: { ...SPEC.kafka, topic: { retention: '3599s' } } },
    says: /spec\.kafka\.topic\.retention.*must be at least 1h: a record that goes before/s,
  },
  {
    name: 'a repair without a pause',
    spec: { cassandra: { managed: { repair: { interval: '1ms' } } } },
    says: /spec\.cassandra\.managed\.repair\.interval.*must be at least 1h/s,
  },
  {
    name: 'less CPU for an executor than is set aside for it',
    spec: { spark: { executor: { resources: { limits: { cpu: '99m' } } } } },
    says: /spec\.spark\.executor\.resources\.requests.*requests\.cpu must not exceed limits\.cpu/s,
  },
  {
    name: 'a seed that no text of Postgres can hold',
    spec: { source: { ...SPEC.source, seed: 'a\0b' } },
    says: /spec\.source\.seed/s,
  },
  {
    name: 'a password in the address of the source',
    spec: { source: { url: 'https://me:secret@api.example/' } },
    says: /spec\.source\.url.*give a key by a query parameter/s,
  },
  {
    name: 'a password in the address of a registry',
    spec: { schemaRegistry: { external: { url: 'http://me:secret@registry:8081' } } },
    says: /spec\.schemaRegistry\.external\.url.*name it by secretRef/s,
  },
  ...['http://[', 'https://:80/', 'https://api.example:port/', 'https://api.example:65536/'].map((url) => ({
    name: `${url} for a source`,
    spec: { source: { url } },
    says: /spec\.source\.url.*must be a URL, as in/s,
  })),
  ...['kafka', 'one:9092,', 'one:9092,,two:9092', 'SASL_SSL://one:9092'].map((bootstrapServers) => ({
    name: `${bootstrapServers} for brokers`,
    spec: { kafka: { external: { bootstrapServers } } },
    says: /spec\.kafka\.external\.bootstrapServers.*must be host:port, separated by commas/s,
  })),
  { name: 'an empty SQL', spec: { spark: { sql: '' } }, says: /spec\.spark\.sql/ },
  {
    name: 'an authority to trust on a connection that is not encrypted',
    spec: { kafka: { external: { ...SPEC.kafka.external, tls: { caSecretRef: { name: 'ca' } } } } },
    says: /spec\.kafka\.external\.tls.*tls\.caSecretRef is of use only with tls\.enabled: true/s,
  },
  {
    name: 'more copies than nodes',
    spec: { cassandra: { replicationFactor: 3, managed: { replicas: 1 } } },
    says: /spec\.cassandra\.replicationFactor.*replicationFactor must not exceed managed\.replicas/s,
  },
  {
    name: 'a clean-up policy twice',
    spec: { kafka: { ...SPEC.kafka, topic: { cleanup: ['compact', 'compact'] } } },
    says: /spec\.kafka\.topic\.cleanup.*cleanup must not name a policy twice/s,
  },
  {
    name: 'more copies than brokers',
    spec: { kafka: { strimzi: { brokers: { replicas: 1 } } } },
    says: /spec\.kafka\.topic\.replicas.*topic\.replicas must not exceed strimzi\.brokers\.replicas/s,
  },
  {
    name: 'a negative size',
    spec: { postgres: { managed: { storage: { size: -1 } } } },
    says: /spec\.postgres\.managed\.storage\.size.*greater than or equal to 0/s,
  },
  {
    name: 'a volume without room',
    spec: { cassandra: { managed: { storage: { size: '0Gi' } } } },
    says: /spec\.cassandra\.managed\.storage\.size.*size must be at least 1Mi/s,
  },
  {
    name: 'so little WAL that every slot is lost',
    spec: { postgres: { managed: { maxSlotWalKeepSize: 0 } } },
    says: /spec\.postgres\.managed\.maxSlotWalKeepSize.*must be at least 64Mi/s,
  },
  {
    name: 'more WAL kept for a slot than the volume has room for',
    spec: { postgres: { managed: { storage: { size: '1Gi' }, maxSlotWalKeepSize: '513Mi' } } },
    says: /spec\.postgres\.managed\.maxSlotWalKeepSize.*must leave 512Mi of storage\.size/s,
  },
  {
    name: 'the default of it on a volume that is too small for it',
    spec: { postgres: { managed: { storage: { size: '1Gi' } } } },
    says: /lower maxSlotWalKeepSize or raise storage\.size/,
  },
  {
    name: "a keyspace of Cassandra's own",
    spec: { cassandra: { keyspace: 'system_auth', managed: {} } },
    says: /spec\.cassandra\.keyspace.*must not be one of Cassandra's own/s,
  },
  {
    name: 'a topic that Kafka does not take for one',
    spec: { kafka: { ...SPEC.kafka, topic: { name: '..' } } },
    says: /spec\.kafka\.topic\.name.*name must not be \. or \.\./s,
  },
  {
    name: 'too little memory for Spark',
    spec: { spark: { driver: { resources: { limits: { memory: '512Mi' } } } } },
    says: /spec\.spark\.driver.*at least 768Mi/s,
  },
  {
    name: 'a setting that is the operator’s own',
    spec: { cassandra: { managed: { config: { cluster_name: 'mine' } } } },
    says: /config must not set what the operator sets/,
  },
  {
    name: "a property of Spark's that the job rests on",
    spec: { spark: { conf: { 'spark.sql.session.timeZone': 'Europe/Vienna' } } },
    says: /spec\.spark\.conf.*conf must not set what the operator sets/s,
  },
  {
    name: 'a field in the place of a built-in column',
    spec: { fields: [{ name: 'email', path: 'email' }] },
    says: /spec\.fields\[0\]\.name.*must not be that of a built-in column.*choose another name/s,
  },
  {
    name: "a field named as a system column of Postgres'",
    spec: { fields: [{ name: 'xmin', path: 'xmin' }] },
    says: /spec\.fields\[0\]\.name.*system column of Postgres/s,
  },
  {
    name: 'two fields of one name',
    spec: { fields: ['location.city', 'location.state'].map((path) => ({ name: 'place', path })) },
    says: /spec\.fields.*duplicate/is,
  },
  {
    name: 'a field whose path leads nowhere',
    spec: { fields: [{ name: 'city', path: 'location..city' }] },
    says: /spec\.fields\[0\]\.path.*should match/s,
  },
  {
    name: 'a field of a type that not every stage has',
    spec: { fields: [{ name: 'city', type: 'list', path: 'location.city' }] },
    says: /spec\.fields\[0\]\.type.*Unsupported value/s,
  },
  {
    name: 'a name that leaves no room',
    metadata: 'n'.repeat(LONGEST_NAME + 1),
    spec: {},
    says: /metadata\.name must be at most 40 characters/,
  },
  {
    name: 'a name that leaves no room to Strimzi',
    metadata: 'n'.repeat(LONGEST_STRIMZI_NAME + 1),
    spec: { kafka: { strimzi: {} } },
    says: /metadata\.name must be at most 23 characters with kafka\.strimzi/,
  },
  { name: 'a name that names no Service', metadata: '1st', spec: {}, says: /must begin with a letter/ },
  { name: 'a field that does not exist', spec: { sparks: {} }, says: /sparks/ },
];

describe('the API server refuses', () => {
  let server: ApiServer;
  before(async () => {
    server = await startApiServer();
    await serve(server);
  });
  after(() => server?.stop());

  const apply = (name: string, spec: Record<string, unknown>) =>
    server.adminClient.apply(pipelineObject(name, spec), { fieldManager: 'test' });

  const answers: string[] = [];
  for (const { name, metadata = 'refused', spec, says } of refusals) {
    test(name, async () => {
      await assert.rejects(apply(metadata, spec), ({ message }: Error) => {
        answers.push(message);
        assert.match(message, says);
        return true;
      });
    });
  }

  test('by each rule of the schema that is not about a change', () => {
    const messages = walk({ path: '', schema: openApiSchema() })
      .flatMap(({ schema }) => (schema['x-kubernetes-validations'] ?? []) as Rule[])
      .filter(({ rule }) => !rule.includes('oldSelf'))
      .map(({ message }) => message);
    assert.deepEqual(
      messages.filter((message) => !answers.some((answer) => answer.includes(message))),
      [],
    );
  });

  test('nothing of the least spec, and fills in every default', async () => {
    const { spec } = (await apply('least', {})) as { spec?: unknown };
    assert.deepEqual(spec, pipelineSpec.parse(SPEC));
  });

  test('nothing of fields, in the order given, and takes for text what has no type', async () => {
    const fields = [
      { name: 'latitude', type: 'double', path: 'location.coordinates.latitude' },
      { name: 'city', path: 'location.city' },
    ];
    const { spec } = (await apply('fields', { fields })) as { spec?: { fields?: unknown } };
    assert.deepEqual(spec?.fields, pipelineSpec.parse({ ...SPEC, fields }).fields);
  });

  test('nothing of as much WAL for a slot as just leaves room', async () => {
    await apply('kept', { postgres: { managed: { storage: { size: '1Gi' }, maxSlotWalKeepSize: '512Mi' } } });
  });

  test('nothing of the longest times between two runs', async () => {
    const source = { ...SPEC.source, interval: '31622400s', rateLimit: { per: '527040m' } };
    const [spark, audit] = [{ trigger: '999999999ms' }, { interval: '8784h' }];
    await apply('rare', { source, spark, audit, cassandra: { managed: { repair: { interval: '366d' } } } });
  });

  test('nothing of the shortest retention and time between repairs', async () => {
    const [kafka, repair] = [{ ...SPEC.kafka, topic: { retention: '3600s' } }, { interval: '60m' }];
    await apply('short', { kafka, cassandra: { managed: { repair } } });
  });

  test('nothing of as much CPU for an executor as is set aside for it', async () => {
    await apply('tight', { spark: { executor: { resources: { limits: { cpu: '0.1' } } } } });
  });

  test('nothing of a retention of many years', async () => {
    await apply('archive', { kafka: { ...SPEC.kafka, topic: { retention: '36500d' } } });
  });

  test('nothing of addresses of any kind', async () => {
    const source = { url: 'https://api.example/users?by=me@example.org' };
    const external = { bootstrapServers: 'one:9092, 10.0.0.2:9092,[fd00::1]:9092\n' };
    await apply('addressed', { source, kafka: { external } });
  });

  test('nothing of one clean-up policy in the place of both, which were filled in', async () => {
    await apply('cleaned', {});
    const topic = { cleanup: ['compact'] };
    const { spec } = await apply('cleaned', { kafka: { ...SPEC.kafka, topic } });
    assert.deepEqual(pipelineSpec.parse(spec).kafka.topic.cleanup, topic.cleanup);
  });

  test('nothing of an existing store in the place of a managed one that was filled in', async () => {
    await apply('corrected', {});
    await apply('corrected', { postgres: { external: { host: 'db', secretRef: { name: 'db' } } } });
  });
});
