import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Pipeline } from '../api/resource.ts';
import { RESERVED_PROPERTIES } from '../api/spark.ts';
import { postgresObjects } from './postgres.ts';
import { propertiesFile } from './properties.ts';
import { canonicalQuantity, memoryMib } from './quantities.ts';
import { CONTEXT, externalPipeline, fullPipeline, operandObjects } from './testing.ts';

function file(pipeline: Pipeline, configMap: string, name: string): string {
  const found = operandObjects(pipeline).find(
    (each) => each.kind === 'ConfigMap' && each.metadata.name === configMap,
  );
  const text = (found?.['data'] as Record<string, string> | undefined)?.[name];
  assert.ok(text, `${configMap}/${name}`);
  return text;
}

function properties(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

describe('a quantity is spelled as the API server spells it', () => {
  const cases: [string | number, string][] = [
    ['1000m', '1'],
    ['250m', '250m'],
    ['0.5', '500m'],
    [2, '2'],
    ['1024Mi', '1Gi'],
    ['1536Mi', '1536Mi'],
    ['0.5Gi', '512Mi'],
    ['2000M', '2G'],
    ['1.5G', '1500M'],
    [1073741824, '1073741824'],
    ['0', '0'],
  ];
  for (const [given, expected] of cases) {
    test(`${given} → ${expected}`, () => assert.equal(canonicalQuantity(given), expected));
  }
});

test('memory is the limit, else the request, else what the component counts on', () => {
  const [low, high] = [{ memory: '1Gi' }, { memory: '2Gi' }];
  assert.equal(memoryMib({ requests: low, limits: high }, 7), 2048);
  assert.equal(memoryMib({ requests: low, limits: {} }, 7), 1024);
  assert.equal(memoryMib({ requests: {}, limits: {} }, 7), 7);
});

test('a properties file holds any text on one line', () => {
  assert.equal(propertiesFile({ 'a b': 'c\\d\ne', f: ' g=h' }), 'a\\ b=c\\\\d\\ne\nf=\\ g=h\n');
});

describe('postgresql.conf', () => {
  test('decodes logically, bounds the WAL of a stopped relay, and fits its memory', () => {
    const text = file(fullPipeline(), 'people-postgres', 'postgresql.conf');
    assert.match(text, /^wal_level = logical$/m);
    assert.match(text, /^max_slot_wal_keep_size = 2048MB$/m);
    assert.match(text, /^shared_buffers = 256MB$/m);
  });

  const volumes: [name: string, size: string, keep: string, walSizes: number[]][] = [
    ['a large volume leaves Postgres its own sizes', '10Gi', '2Gi', [2048, 1024, 80]],
    ['a small one gets smaller ones', '1Gi', '512Mi', [512, 128, 80]],
    ['the smallest still holds some files of WAL', '576Mi', '64Mi', [64, 128, 80]],
    ['one from before the two were compared keeps what it can', '1Gi', '2Gi', [512, 128, 80]],
    ['an enormous one keeps what Postgres can count', '8Pi', '6Pi', [2 ** 31 - 1, 1024, 80]],
    ['one that never had room for a slot is given the least', '64Mi', '2Gi', [64, 32, 32]],
  ];
  for (const [name, size, maxSlotWalKeepSize, expected] of volumes) {
    test(`bounds WAL by the volume: ${name}`, () => {
      const managed = { storage: { size }, maxSlotWalKeepSize };
      const text = file(fullPipeline({ postgres: { managed } }), 'people-postgres', 'postgresql.conf');
      const names = ['max_slot_wal_keep_size', 'max_wal_size', 'min_wal_size'];
      const sizes = names.map((name) => Number(new RegExp(`^${name} = (\\d+)MB$`, 'm').exec(text)?.[1]));
      assert.deepEqual(sizes, expected);
    });
  }

  test('bounds WAL by what the volume has, where that is less than it is to have', () => {
    const kept = (volume?: string) => {
      const managed = { storage: { size: '20Gi' }, maxSlotWalKeepSize: '15Gi' };
      const [config] = postgresObjects(fullPipeline({ postgres: { managed } }), CONTEXT, volume);
      return /max_slot_wal_keep_size = (\d+MB)/.exec(JSON.stringify(config))?.[1];
    };
    assert.deepEqual([undefined, '30Gi', '20Gi', '10Gi'].map(kept), [
      '15360MB',
      '15360MB',
      '15360MB',
      '9728MB',
    ]);
  });
});

describe('cassandra.yaml', () => {
  const config = {
    concurrent_reads: '64',
    compaction_throughput: '16MiB/s',
    authenticator: 'AllowAllAuthenticator',
    initial_token: '-9223372036854775808',
    full_query_logging_options: '{"log_dir": "/tmp"}',
    listen_address: '6.6.6.6',
  };
  const lines = file(
    fullPipeline({ cassandra: { managed: { config } } }),
    'people-cassandra',
    'cassandra.yaml',
  ).split('\n');
  const cases: [name: string, line: string][] = [
    ['a number stays one', '"concurrent_reads": 64'],
    ['a text becomes one', '"compaction_throughput": "16MiB/s"'],
    ['a default gives way', '"authenticator": "AllowAllAuthenticator"'],
    ['a long number keeps its digits', '"initial_token": -9223372036854775808'],
    ['a map stays one', '"full_query_logging_options": {"log_dir":"/tmp"}'],
    ["what is the pod's own stays", '"listen_address": "@POD_IP@"'],
  ];
  for (const [name, line] of cases) test(name, () => assert.ok(lines.includes(line), lines.join('\n')));

  test('no setting is there twice', () => {
    const names = lines.map((line) => line.slice(0, line.indexOf(':')));
    assert.equal(new Set(names).size, names.length);
  });
});

test("Cassandra's heap is half of its memory", () => {
  const options = file(fullPipeline(), 'people-cassandra', 'jvm.options').split('\n');
  assert.ok(options.includes('-Xmx2048m') && options.includes('-XX:MaxDirectMemorySize=1024m'));
});

describe('spark-defaults.conf', () => {
  const resources = { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '3', memory: '4Gi' } };
  const conf = {
    'spark.executor.cores': '1',
    'spark.custom': 'yes',
    'spark.driver.host': 'elsewhere',
    'spark.sql.session.timeZone': 'Europe/Vienna',
  };
  const spark = { executor: { instances: 4, resources }, conf };
  const set = properties(file(fullPipeline({ spark }), 'people-spark', 'spark-defaults.conf'));

  test("an executor's heap and overhead are its memory, its slots its CPUs", () => {
    const megabytes = (name: string) => Number(set[name]?.replace('m', ''));
    assert.equal(megabytes('spark.executor.memory') + megabytes('spark.executor.memoryOverhead'), 4096);
    assert.equal(set['spark.default.parallelism'], '12');
    assert.equal(set['spark.kubernetes.executor.request.cores'], '500m');
    assert.equal(set['spark.kubernetes.executor.limit.cores'], '3');
  });

  test('a driver without a limit gets the least heap that Spark starts with, however little it requests', () => {
    const driver = { resources: { requests: { memory: '128Mi' }, limits: {} } };
    const text = file(fullPipeline({ spark: { driver } }), 'people-spark', 'spark-defaults.conf');
    assert.equal(properties(text)['spark.driver.memory'], '460m');
  });

  test('what the resource says wins', () => {
    assert.equal(set['spark.executor.cores'], '1');
    assert.equal(set['spark.custom'], 'yes');
  });

  test('what is reserved stays', () => {
    assert.equal(set['spark.driver.host'], 'people-spark.team.svc');
    assert.equal(set['spark.sql.session.timeZone'], undefined, 'it is the job that sets it');
  });

  test('all that the job sets itself is reserved, for it would outrank what the resource says', () => {
    const job = readFileSync(join(import.meta.dirname, '../../../workers/spark/session.py'), 'utf8');
    const own = [...job.matchAll(/"(spark\.[\w.]+)":/g)].map(([, name = '']) => name);
    assert.ok(own.length > 5);
    assert.deepEqual(
      own.filter((name) => !RESERVED_PROPERTIES.includes(name)),
      [],
    );
  });
});

describe("the registry's properties", () => {
  const registry = { schemaRegistry: { managed: {} } };

  test('keep two pipelines on one Kafka apart', () => {
    const set = properties(file(fullPipeline(), 'people-registry', 'application.properties'));
    const names = [
      'apicurio.kafkasql.topic',
      'apicurio.kafkasql.snapshots.topic',
      'apicurio.events.kafka.topic',
    ];
    for (const name of names) assert.match(set[name] ?? '', /^team\.people\.users\.registry/);
    assert.equal(set['apicurio.kafkasql.topic.retention.ms'], '-1');
  });

  test('use TLS and a password as the pipeline does, without naming the password', () => {
    const set = properties(file(externalPipeline(registry), 'people-registry', 'application.properties'));
    assert.equal(set['apicurio.kafka.common.security.protocol'], 'SASL_SSL');
    assert.equal(set['apicurio.kafka.common.ssl.truststore.location'], '/etc/userstream-ca/kafka/ca.crt');
    assert.match(set['apicurio.kafka.common.sasl.jaas.config'] ?? '', /password="\$\{KAFKA_PASSWORD\}";$/);
  });
});
