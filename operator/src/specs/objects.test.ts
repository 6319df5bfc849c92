import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import { executorTemplate } from './spark-files.ts';
import {
  allObjects,
  externalPipeline,
  fullPipeline,
  IMAGES,
  operandObjects,
  PASSWORDS,
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
        // The teardown's ConfigMap goes with its Job.
        if (object.kind === 'Secret' || object.metadata.name === 'people-teardown') continue;
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
