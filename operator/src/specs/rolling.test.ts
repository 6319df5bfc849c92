import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { V1DeploymentSpec } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import type { BuildContext } from './images.ts';
import { CONFIG_HASH } from './meta.ts';
import { executorTemplate } from './spark-files.ts';
import { CONTEXT, fullPipeline, IMAGES, operandObjects, podTemplates } from './testing.ts';

const named = ({ kind, metadata }: KubeObject) => `${kind} ${metadata.name}`;

/** The config hash of each workload whose pods would be rolled. */
function hashes(pipeline: Pipeline, context: BuildContext = CONTEXT): Record<string, unknown> {
  const templates = podTemplates(operandObjects(pipeline, context));
  return Object.fromEntries(
    templates
      .filter(({ name }) => !name.startsWith('Job'))
      .map(({ name, template }) => [name, template.metadata?.annotations?.[CONFIG_HASH]]),
  );
}

function rolled(before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  return Object.keys(after).filter((name) => before[name] !== after[name]);
}

describe('what is immutable', () => {
  test('is the same whatever the images, the settings and the Secrets are', () => {
    const changed = fullPipeline({
      spark: { sql: 'SELECT id FROM users' },
      cassandra: { managed: { replicas: 5, image: 'cassandra:5.0.6', config: { concurrent_reads: '64' } } },
    });
    const images = { ...IMAGES, workers: 'userstream/workers:2', spark: 'userstream/spark:2' };
    const immutable = (pipeline: Pipeline, context: BuildContext) =>
      operandObjects(pipeline, context)
        .filter(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment')
        .map(({ kind, metadata, spec }) => {
          const { selector, serviceName, podManagementPolicy, volumeClaimTemplates } = spec as Record<
            string,
            unknown
          >;
          return {
            kind,
            name: metadata.name,
            selector,
            serviceName,
            podManagementPolicy,
            volumeClaimTemplates,
          };
        });
    assert.deepEqual(
      immutable(changed, { images, secretHashes: { 'people-postgres': 'x' } }),
      immutable(fullPipeline(), CONTEXT),
    );
  });

  test('a selector finds the pods of its own template, and no other', () => {
    const objects = operandObjects(fullPipeline());
    const executor = executorTemplate(fullPipeline(), IMAGES.spark).metadata?.labels ?? {};
    const templates = podTemplates(objects).filter(({ name }) => !name.startsWith('Job'));
    const all = [
      ...templates.map(({ name, template }) => ({ name, labels: template.metadata?.labels ?? {} })),
      { name: 'executor', labels: executor },
    ];
    for (const object of objects.filter(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment')) {
      const { matchLabels } = (object['spec'] as { selector: { matchLabels: Record<string, string> } })
        .selector;
      const found = all.filter(({ labels }) =>
        Object.entries(matchLabels).every(([key, value]) => labels[key] === value),
      );
      assert.deepEqual(
        found.map(({ name }) => name),
        [named(object)],
      );
    }
  });
});

test('every Deployment rolls one pod at a time, however many it has', () => {
  const many = {
    ingest: { replicas: 5 },
    relay: { replicas: 5 },
    schemaRegistry: { managed: { replicas: 5 } },
  };
  const rolling = operandObjects(fullPipeline(many))
    .filter(({ kind }) => kind === 'Deployment')
    .map(({ metadata, spec }) => {
      const { maxSurge = '25%', maxUnavailable = '25%' } =
        (spec as V1DeploymentSpec).strategy?.rollingUpdate ?? {};
      return [metadata.name, maxSurge, maxUnavailable];
    });
  assert.deepEqual(rolling, [
    ['people-registry', 1, 0],
    ['people-ingest', 0, 1],
    ['people-relay', 0, 1],
    ['people-audit', 0, 1],
  ]);
});

describe('what rolls pods', () => {
  const cases: { name: string; spec: Record<string, unknown>; rolls: string[] }[] = [
    {
      name: 'a changed SQL',
      spec: { spark: { sql: 'SELECT id FROM users' } },
      rolls: ['StatefulSet people-spark'],
    },
    {
      name: "Spark's own settings",
      spec: { spark: { conf: { 'spark.task.cpus': '1' } } },
      rolls: ['StatefulSet people-spark'],
    },
    {
      name: 'another batch size',
      spec: { source: { url: 'https://randomuser.me/api/1.4/', batchSize: 7 } },
      rolls: ['Deployment people-ingest'],
    },
    {
      name: 'one more field, of which the others learn by the schema',
      spec: { fields: [{ name: 'title', path: 'name.title' }] },
      rolls: ['Deployment people-ingest'],
    },
    {
      name: "a setting of Cassandra's",
      spec: { cassandra: { managed: { config: { concurrent_reads: '64' } } } },
      rolls: ['StatefulSet people-cassandra'],
    },
    {
      name: 'more WAL kept',
      spec: { postgres: { managed: { maxSlotWalKeepSize: '4Gi' } } },
      rolls: ['StatefulSet people-postgres'],
    },
    {
      name: 'another size of the volume, which grows around its pod',
      spec: { postgres: { managed: { storage: { size: '4Gi' } } } },
      rolls: [],
    },
    { name: 'more nodes in the ring', spec: { cassandra: { managed: { replicas: 5 } } }, rolls: [] },
    { name: 'more pods of the relay', spec: { relay: { replicas: 3 } }, rolls: [] },
    { name: 'more pods of ingest, which share its budget', spec: { ingest: { replicas: 3 } }, rolls: [] },
    { name: 'suspension', spec: { suspend: true }, rolls: [] },
    { name: 'another deletion policy', spec: { deletionPolicy: 'Delete' }, rolls: [] },
  ];
  for (const { name, spec, rolls } of cases) {
    test(`${name}: ${rolls.join(', ') || 'none'}`, () => {
      assert.deepEqual(rolled(hashes(fullPipeline()), hashes(fullPipeline(spec))), rolls);
    });
  }

  test('a changed Secret rolls those who read it', () => {
    const changed = (name: string) => hashes(fullPipeline(), { ...CONTEXT, secretHashes: { [name]: 'new' } });
    const before = hashes(fullPipeline());
    assert.deepEqual(rolled(before, changed('people-postgres')), [
      'StatefulSet people-postgres',
      'Deployment people-ingest',
      'Deployment people-relay',
    ]);
    assert.deepEqual(rolled(before, changed('people-cassandra')), ['StatefulSet people-spark']);
    assert.deepEqual(rolled(before, changed('of-someone-else')), []);
  });

  test('a changed provisioning is another Job', () => {
    const jobs = (pipeline: Pipeline, context = CONTEXT) =>
      operandObjects(pipeline, context).flatMap(({ kind, metadata }) =>
        kind === 'Job' ? [metadata.name] : [],
      );
    const [first, teardown] = jobs(fullPipeline());
    assert.match(first ?? '', /^people-provision-[0-9a-f]{8}$/);
    assert.match(teardown ?? '', /^people-teardown-[0-9a-f]{8}$/);
    assert.notEqual(jobs(fullPipeline({ cassandra: { keyspace: 'other', managed: {} } }))[0], first);
    assert.notEqual(jobs(fullPipeline({ fields: [{ name: 'title', path: 'name.title' }] }))[0], first);
    assert.notEqual(
      jobs(fullPipeline(), { images: { ...IMAGES, workers: 'userstream/workers:2' } })[0],
      first,
    );
    assert.equal(jobs(fullPipeline({ spark: { sql: 'SELECT id FROM users' } }))[0], first);
  });
});
