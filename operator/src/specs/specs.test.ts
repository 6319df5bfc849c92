import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import { secretsOf } from './access.ts';
import type { BuildContext } from './images.ts';
import { CONFIG_HASH } from './meta.ts';
import { executorTemplate } from './spark-files.ts';
import {
  allObjects,
  CONTEXT,
  externalPipeline,
  fullPipeline,
  IMAGES,
  operandObjects,
  PASSWORDS,
  pipelineOf,
  podTemplates,
} from './testing.ts';

const pipelines: Record<string, Pipeline> = {
  'all managed': fullPipeline(),
  'all external': externalPipeline(),
  'all managed beside an external Kafka with a password': externalPipeline({
    postgres: { managed: {} },
    cassandra: { managed: {} },
    schemaRegistry: { managed: {} },
  }),
};

const named = ({ kind, metadata }: KubeObject) => `${kind} ${metadata.name}`;

function templatesOf(pipeline: Pipeline): { name: string; spec: V1PodSpec }[] {
  const executor = { name: 'an executor', template: executorTemplate(pipeline, IMAGES.spark) };
  return [...podTemplates(operandObjects(pipeline)), executor].map(({ name, template }) => {
    assert.ok(template.spec);
    return { name, spec: template.spec };
  });
}

function eachContainer(pipeline: Pipeline, check: (container: V1Container, name: string) => void): void {
  for (const { name, spec } of templatesOf(pipeline)) for (const each of spec.containers) check(each, name);
}

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

for (const [name, pipeline] of Object.entries(pipelines)) {
  describe(`the objects of a pipeline, ${name}`, () => {
    test('are the same each time', () => assert.deepEqual(allObjects(pipeline), allObjects(pipeline)));

    test('are no two by one name', () => {
      const names = allObjects(pipeline).map(named);
      assert.equal(new Set(names).size, names.length, names.join('\n'));
    });

    test('hold no password outside a Secret', () => {
      const text = JSON.stringify(allObjects(pipeline).filter(({ kind }) => kind !== 'Secret'));
      for (const password of PASSWORDS) assert.ok(!text.includes(password));
    });

    test('take credentials from Secrets alone', () => {
      eachContainer(pipeline, ({ env = [] }, where) => {
        for (const each of env.filter((one) => /PASSWORD|USERNAME/.test(one.name))) {
          assert.ok(each.valueFrom?.secretKeyRef?.name, `${where}: ${each.name}`);
        }
      });
    });

    test('carry the common labels, and go with the pipeline', () => {
      for (const object of allObjects(pipeline)) {
        assert.equal(object.metadata.labels?.['app.kubernetes.io/instance'], 'people', named(object));
        assert.equal(object.metadata.labels?.['app.kubernetes.io/managed-by'], 'userstream-operator');
        if (object.kind === 'Secret') continue;
        const [owner] = object.metadata.ownerReferences ?? [];
        assert.deepEqual(
          [owner?.uid, owner?.controller, owner?.blockOwnerDeletion],
          [pipeline.uid, true, true],
        );
      }
    });

    test('run as "restricted" asks, on a root file system that is never written', () => {
      for (const { name: where, spec } of templatesOf(pipeline)) {
        assert.equal(spec.securityContext?.runAsNonRoot, true, where);
        assert.ok((spec.securityContext?.runAsUser ?? 0) > 0, where);
        assert.equal(spec.securityContext?.seccompProfile?.type, 'RuntimeDefault', where);
        assert.equal(spec.enableServiceLinks, false, where);
        assert.equal(spec.automountServiceAccountToken, where === 'StatefulSet people-spark', where);
      }
      eachContainer(pipeline, ({ securityContext }, where) => {
        assert.equal(securityContext?.allowPrivilegeEscalation, false, where);
        assert.equal(securityContext?.readOnlyRootFilesystem, true, where);
        assert.deepEqual(securityContext?.capabilities, { drop: ['ALL'] }, where);
      });
    });

    test('mount only volumes that are there, each path once', () => {
      for (const object of operandObjects(pipeline)) {
        const spec = object['spec'] as {
          template?: { spec?: V1PodSpec };
          volumeClaimTemplates?: { metadata: { name: string } }[];
        };
        for (const { volumeMounts = [] } of spec?.template?.spec?.containers ?? []) {
          const volumes = [
            ...(spec.template?.spec?.volumes ?? []),
            ...(spec.volumeClaimTemplates ?? []).map((one) => one.metadata),
          ];
          for (const mount of volumeMounts)
            assert.ok(
              volumes.some((one) => one.name === mount.name),
              `${named(object)}: ${mount.name}`,
            );
          assert.equal(
            new Set(volumeMounts.map((one) => one.mountPath)).size,
            volumeMounts.length,
            named(object),
          );
        }
      }
    });

    test('ask the kubelet whether they are alive and ready, where they are to stay', () => {
      for (const { name: where, template } of podTemplates(operandObjects(pipeline))) {
        if (where.startsWith('Job')) continue;
        for (const each of template.spec?.containers ?? []) {
          assert.ok(each.startupProbe && each.livenessProbe && each.readinessProbe, where);
          assert.equal(each.imagePullPolicy, 'IfNotPresent', where);
        }
      }
    });
  });
}

describe('what is immutable', () => {
  test('is the same whatever the images, the settings and the Secrets are', () => {
    const changed = fullPipeline({
      spark: { sql: 'SELECT id FROM users' },
      cassandra: { managed: { replicas: 5, image: 'cassandra:5.0.6', config: { num_tokens: '32' } } },
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
      name: "a setting of Cassandra's",
      spec: { cassandra: { managed: { config: { concurrent_reads: '64' } } } },
      rolls: ['StatefulSet people-cassandra'],
    },
    {
      name: 'more WAL kept',
      spec: { postgres: { managed: { maxSlotWalKeepSize: '4Gi' } } },
      rolls: ['StatefulSet people-postgres'],
    },
    { name: 'more nodes in the ring', spec: { cassandra: { managed: { replicas: 5 } } }, rolls: [] },
    {
      name: 'more pods of the workers',
      spec: { ingest: { replicas: 3 }, relay: { replicas: 3 } },
      rolls: [],
    },
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
    assert.equal(teardown, 'people-teardown');
    assert.notEqual(jobs(fullPipeline({ cassandra: { keyspace: 'other', managed: {} } }))[0], first);
    assert.notEqual(
      jobs(fullPipeline(), { images: { ...IMAGES, workers: 'userstream/workers:2' } })[0],
      first,
    );
    assert.equal(jobs(fullPipeline({ spark: { sql: 'SELECT id FROM users' } }))[0], first);
  });
});

describe('the deletion policy', () => {
  const secrets = (pipeline: Pipeline) => allObjects(pipeline).filter(({ kind }) => kind === 'Secret');
  const policies = (pipeline: Pipeline) =>
    allObjects(pipeline).flatMap(({ kind, spec }) =>
      kind === 'StatefulSet'
        ? [(spec as Record<string, unknown>)['persistentVolumeClaimRetentionPolicy']]
        : [],
    );

  test('Retain: volumes stay, and so do the Secrets that open them', () => {
    const pipeline = fullPipeline();
    for (const secret of secrets(pipeline)) assert.equal(secret.metadata.ownerReferences, undefined);
    for (const policy of policies(pipeline))
      assert.deepEqual(policy, { whenDeleted: 'Retain', whenScaled: 'Retain' });
  });

  test('Delete: nothing stays', () => {
    const pipeline = fullPipeline({ deletionPolicy: 'Delete' });
    assert.equal(secrets(pipeline).length, 2);
    for (const secret of secrets(pipeline))
      assert.equal(secret.metadata.ownerReferences?.[0]?.uid, pipeline.uid);
    for (const policy of policies(pipeline))
      assert.deepEqual(policy, { whenDeleted: 'Delete', whenScaled: 'Retain' });
  });
});

test('a suspended pipeline has no worker and no driver, and keeps its stores', () => {
  const replicas = operandObjects(fullPipeline({ suspend: true })).flatMap(({ metadata, spec }) => {
    const count = (spec as { replicas?: number } | undefined)?.replicas;
    return count === undefined ? [] : [[metadata.name, count]];
  });
  assert.deepEqual(Object.fromEntries(replicas), {
    'people-postgres': 1,
    'people-cassandra': 3,
    'people-registry': 1,
    'people-ingest': 0,
    'people-relay': 0,
    'people-spark': 0,
  });
});

test('the Secrets that pods read are the ones made for managed stores, or named by the resource', () => {
  assert.deepEqual(secretsOf(fullPipeline()), ['people-cassandra', 'people-postgres']);
  assert.deepEqual(secretsOf(externalPipeline()), ['authority', 'broker', 'db', 'registry', 'ring']);
  assert.deepEqual(
    secretsOf(pipelineOf({ postgres: { external: { host: 'db', secretRef: { name: 'db' } } } })),
    ['db', 'people-cassandra'],
  );
});
