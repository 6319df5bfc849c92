import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { auditConfig } from '../../../workers/audit/config.ts';
import { sections as schemas } from '../../../workers/lib/config.ts';
import { configJson, sections, teardownSystems } from './config.ts';
import { externalPipeline, fullPipeline, operandObjects, pipelineOf } from './testing.ts';

const FIELDS = [
  { name: 'latitude', type: 'double', path: 'location.coordinates.latitude' },
  { name: 'title', type: 'text', path: 'name.title' },
];

const pipelines = {
  'all managed': fullPipeline({ fields: FIELDS }),
  'all external': externalPipeline(),
  'Kafka external': pipelineOf({}),
};

for (const [name, pipeline] of Object.entries(pipelines)) {
  test(`the workers take every section of a pipeline, ${name}, and drop nothing of it`, () => {
    const { cassandra, ...others } = sections(pipeline);
    const { managed: _, ...ring } = cassandra;
    const all: Record<string, unknown> = { ...others, cassandra: ring };
    for (const [section, schema] of Object.entries(schemas)) {
      if (section === 'topics' && !all[section]) continue;
      assert.deepEqual(schema.parse(all[section]), all[section], section);
    }
  });
}

test('the audit takes its configuration', () => {
  const text = configJson(fullPipeline({ audit: { interval: '90s' } }), [
    'pipeline',
    'postgres',
    'cassandra',
    'audit',
  ]);
  assert.deepEqual(auditConfig.parse(JSON.parse(text)).audit, {
    intervalMs: 90_000,
    usersPerSecond: 10_000,
    driverUrl: 'http://people-spark.team.svc:8080',
  });
});

test('a worker is told of its own neighbours alone', () => {
  const told = operandObjects(pipelineOf({})).flatMap(({ kind, metadata, data }) => {
    const text = kind === 'ConfigMap' ? (data as Record<string, string>)['config.json'] : undefined;
    return text ? [[metadata.name, Object.keys(JSON.parse(text))]] : [];
  });
  const provision = [
    'pipeline',
    'fields',
    'postgres',
    'kafka',
    'topics',
    'registryTopics',
    'schemaRegistry',
    'cassandra',
  ];
  assert.deepEqual(Object.fromEntries(told), {
    'people-audit': ['pipeline', 'postgres', 'cassandra', 'audit'],
    'people-ingest': ['pipeline', 'source', 'fields', 'postgres'],
    'people-relay': ['pipeline', 'postgres', 'kafka', 'schemaRegistry'],
    'people-provision': provision,
    'people-teardown': [...provision, 'teardown'],
    'people-spark': ['pipeline', 'kafka', 'schemaRegistry', 'cassandra', 'spark'],
  });
});

test('a comma behind the last broker names none', () => {
  const kafka = { external: { bootstrapServers: 'one:9092, two:9092,' } };
  assert.deepEqual(sections(pipelineOf({ kafka })).kafka.bootstrapServers, ['one:9092', 'two:9092']);
});

test('durations are told in milliseconds, brokers one by one', () => {
  const { source, kafka, spark, topics } = sections(externalPipeline());
  assert.deepEqual([source.intervalMs, source.rateLimit.perMs, spark.triggerMs], [10_000, 300_000, 1_000]);
  assert.deepEqual(kafka.bootstrapServers, ['one:9093', 'two:9093']);
  assert.deepEqual(topics?.config, {
    'cleanup.policy': 'compact,delete',
    'retention.ms': '604800000',
    'delete.retention.ms': '604800000',
    'max.compaction.lag.ms': '86400000',
    'min.insync.replicas': '2',
    'max.message.bytes': '20971520',
  });
});

test('what a record may weigh holds for dead letters too, and is what the resource says', () => {
  const limits = (spec: Record<string, unknown>) => {
    const { topics } = sections(externalPipeline(spec));
    return [topics?.config, topics?.deadLetterConfig].map((config) => config?.['max.message.bytes']);
  };
  assert.deepEqual(limits({}), ['20971520', '20971520']);
  const kafka = {
    topic: { maxMessageBytes: 8_388_608 },
    external: { bootstrapServers: 'one:9093' },
  };
  assert.deepEqual(limits({ kafka }), ['8388608', '8388608']);
});

test('fields are told as they are given, in their order', () => {
  const pipeline = pipelineOf({ fields: FIELDS });
  assert.deepEqual(JSON.parse(configJson(pipeline, ['fields'])), { fields: FIELDS });
  assert.deepEqual(JSON.parse(configJson(pipelineOf({}), ['fields'])), { fields: [] });
});

test('Spark is told where to begin again, as long as that makes sense', () => {
  const told = (annotations: Record<string, string>) =>
    sections({ ...pipelineOf({}), annotations }).spark.replayFrom;
  assert.equal(told({}), undefined);
  assert.deepEqual(told({ 'userstream.dev/replay-from': 'earliest' }), { timeMs: 0 });
  assert.deepEqual(told({ 'userstream.dev/replay-from': '{"1":5,"0":7}' }), { offsets: { 0: 7, 1: 5 } });
  assert.equal(told({ 'userstream.dev/replay-from': 'yesterday' }), undefined);
});

test('the API’s budget is told whole, for all pods of ingest together', () => {
  const { source } = sections(fullPipeline({ ingest: { replicas: 3 } }));
  assert.deepEqual(source.rateLimit, { users: 20_000, perMs: 300_000 });
});

test('where Strimzi makes the topics, provision makes none', () => {
  const told = JSON.parse(configJson(fullPipeline(), ['topics', 'registryTopics']));
  assert.deepEqual(told, { registryTopics: [] });
});

describe('what is undone outside the namespace when the pipeline goes', () => {
  const undone = { topics: true, subject: true, slot: true, tables: true, keyspace: true };
  const cases = [
    {
      name: 'all external, Delete',
      pipeline: externalPipeline({ deletionPolicy: 'Delete' }),
      expected: undone,
    },
    {
      name: 'all external, Retain: the slot, which would fill the disk',
      pipeline: externalPipeline(),
      expected: { topics: false, subject: false, slot: true, tables: false, keyspace: false },
    },
    {
      name: 'all managed, Delete: garbage collection does it',
      pipeline: fullPipeline({ deletionPolicy: 'Delete' }),
      expected: { topics: false, subject: false, slot: false, tables: false, keyspace: false },
    },
  ];
  for (const { name, pipeline, expected } of cases) {
    test(name, () => {
      assert.deepEqual(sections(pipeline).teardown, expected);
      assert.equal(teardownSystems(pipeline).length > 0, Object.values(expected).includes(true));
    });
  }
});
