import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { USER_COLUMNS } from '../../../workers/lib/user.ts';
import { BUILT_IN_COLUMNS } from './fields.ts';
import { outsideNames } from './names.ts';
import { pipelineSpec } from './pipeline.ts';
import { milliseconds, quantityValue } from './scalars.ts';

const least = { source: { url: 'https://randomuser.me/api/1.4/' }, kafka: { strimzi: {} } };

describe('the least spec that runs', () => {
  const spec = pipelineSpec.parse(least);
  test('keeps its data when it is deleted', () => assert.equal(spec.deletionPolicy, 'Retain'));
  test('manages every store that it names none for', () => {
    assert.ok(spec.postgres.managed && spec.cassandra.managed && spec.schemaRegistry.managed);
  });
  test('survives the loss of a node', () => {
    assert.equal(spec.cassandra.replicationFactor, 3);
    assert.equal(spec.kafka.strimzi?.brokers.replicas, 3);
  });
  test('has no columns but the built-in ones', () => assert.deepEqual(spec.fields, []));
});

describe('text that the API server takes', () => {
  const accepted = [
    {
      name: 'a SQL of as many emoji as it may have characters',
      spec: { spark: { sql: '😀'.repeat(16_384) } },
    },
    { name: 'a setting of as many emoji', spec: { spark: { conf: { a: '😀'.repeat(4096) } } } },
    { name: 'a seed of as many emoji', spec: { source: { ...least.source, seed: '😀'.repeat(128) } } },
    { name: 'a blank that RE2 takes for none', spec: { spark: { checkpoint: { uri: 's3a://a\u00a0b' } } } },
  ];
  for (const { name, spec } of accepted)
    test(`is valid for the operator, too: ${name}`, () => {
      assert.ok(pipelineSpec.safeParse({ ...least, ...spec }).success);
    });
});

test('a field is text unless it says otherwise', () => {
  const fields = [
    { name: 'title', path: 'name.title' },
    { name: 'age', type: 'bigint', path: 'dob.age' },
  ];
  assert.deepEqual(
    pipelineSpec.parse({ ...least, fields }).fields.map(({ type }) => type),
    ['text', 'bigint'],
  );
});

test('the built-in columns are those that the workers fill', () =>
  assert.deepEqual(BUILT_IN_COLUMNS, Object.keys(USER_COLUMNS)));

const rejected: { name: string; spec: unknown; field: string }[] = [
  {
    name: 'a batch past 5000',
    spec: { ...least, source: { url: 'https://a/', batchSize: 5001 } },
    field: 'source.batchSize',
  },
  {
    name: 'a SQL of too many emoji',
    spec: { ...least, spark: { sql: '😀'.repeat(16_385) } },
    field: 'spark.sql',
  },
  { name: 'an empty SQL', spec: { ...least, spark: { sql: '' } }, field: 'spark.sql' },
  { name: 'a SQL of blanks', spec: { ...least, spark: { sql: '  ' } }, field: 'spark.sql' },
  {
    name: 'a URL of another protocol',
    spec: { ...least, source: { url: 'file:///etc/passwd' } },
    field: 'source.url',
  },
  {
    name: 'a duration without a unit',
    spec: { ...least, source: { url: 'https://a/', interval: '10' } },
    field: 'source.interval',
  },
  ...[
    { name: 'a field that begins with a digit', field: { name: '1st' }, at: 'name' },
    { name: 'a field of too long a name', field: { name: 'n'.repeat(49) }, at: 'name' },
    { name: 'a field of a type that not every stage has', field: { type: 'list' }, at: 'type' },
    { name: 'a field from nowhere', field: { path: '' }, at: 'path' },
    { name: 'a field whose path ends in a dot', field: { path: 'location.' }, at: 'path' },
    { name: 'a field whose path is too long', field: { path: 'p'.repeat(254) }, at: 'path' },
  ].map(({ name, field, at }) => ({
    name,
    spec: { ...least, fields: [{ name: 'latitude', path: 'location', ...field }] },
    field: `fields.0.${at}`,
  })),
  {
    name: 'more than 50 fields',
    spec: {
      ...least,
      fields: Array.from({ length: 51 }, (_, index) => ({ name: `field_${index}`, path: 'a' })),
    },
    field: 'fields',
  },
];

describe('a spec is rejected for', () => {
  for (const { name, spec, field } of rejected) {
    test(name, () => {
      const result = pipelineSpec.safeParse(spec);
      const fields = result.error?.issues.map((issue) => issue.path.join('.'));
      assert.deepEqual(new Set(fields), new Set([field]));
    });
  }
});

describe('names outside the namespace', () => {
  const slots = [
    { namespace: 'a-b', name: 'c' },
    { namespace: 'a', name: 'b-c' },
    { namespace: 'a', name: 'b--c' },
    { namespace: 'n'.repeat(63), name: 'x'.repeat(40) },
    { namespace: 'n'.repeat(63), name: 'x'.repeat(39) },
  ].map((key) => outsideNames(key).slot);

  test('differ for pipelines that fold to the same text', () =>
    assert.equal(new Set(slots).size, slots.length));
  test('fit what Postgres takes for a slot', () => {
    for (const slot of slots) assert.match(slot, /^[a-z0-9_]{1,63}$/);
  });
});

test('durations are read in milliseconds', () => {
  assert.deepEqual(
    ['500ms', '10s', '5m', '168h', '7d'].map(milliseconds),
    [500, 10_000, 300_000, 604_800_000, 604_800_000],
  );
  assert.throws(() => milliseconds('10'), /not a duration/);
});

test('quantities are read in their base unit', () => {
  assert.deepEqual(['500m', '2Gi', '1', 3, '1.5k'].map(quantityValue), [0.5, 2 ** 31, 1, 3, 1500]);
  assert.deepEqual(
    ['500u', '1e3', '.5', '2Ei'].map(quantityValue),
    [0.0005, 1000, 0.5, 2 ** 61],
    'as Kubernetes may tell them',
  );
  assert.throws(() => quantityValue('2GB'), /not a quantity/);
});
