import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import { type Pipeline, parsePipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import { auditRoles } from './access.ts';
import { auditObjects, auditSecret } from './audit.ts';
import { cassandraObjects, cassandraSecret } from './cassandra.ts';
import type { BuildContext, Images } from './images.ts';
import { ingestObjects } from './ingest.ts';
import { kafkaObjects } from './kafka.ts';
import { postgresObjects, postgresSecret } from './postgres.ts';
import { provisionObjects, teardownConfig, teardownJob } from './provision.ts';
import { registryObjects } from './registry.ts';
import { relayObjects } from './relay.ts';
import { sparkObjects } from './spark.ts';

// What the tests of the builders share.

export const IMAGES: Images = {
  workers: 'userstream/workers:1',
  spark: 'userstream/spark:1',
  postgres: 'userstream/postgres:1',
  cassandra: 'userstream/cassandra:1',
  registry: 'userstream/registry:1',
};

export const CONTEXT: BuildContext = { images: IMAGES };

const SOURCE = { url: 'https://randomuser.me/api/1.4/' };

/** A pipeline of the given spec over the least that one needs. */
export function pipelineOf(spec: Record<string, unknown>): Pipeline {
  return parsePipeline({
    metadata: {
      namespace: 'team',
      name: 'people',
      uid: '5f0c6f5e-0000-4000-8000-000000000001',
      creationTimestamp: '2026-01-01T00:00:00Z',
      generation: 1,
    },
    spec: { source: SOURCE, kafka: { external: { bootstrapServers: 'kafka.kafka.svc:9092' } }, ...spec },
  });
}

/** A pipeline of which every component is managed. */
export function fullPipeline(spec: Record<string, unknown> = {}): Pipeline {
  return pipelineOf({ kafka: { strimzi: {} }, ...spec });
}

/** A pipeline of which every component exists already, behind TLS and passwords. */
export function externalPipeline(spec: Record<string, unknown> = {}): Pipeline {
  const tls = { enabled: true, caSecretRef: { name: 'authority' } };
  const secretRef = (name: string) => ({ secretRef: { name } });
  return pipelineOf({
    postgres: { external: { host: 'db.example', tls, ...secretRef('db') } },
    kafka: {
      external: {
        bootstrapServers: 'one:9093, two:9093',
        tls,
        authentication: { type: 'scram-sha-512', ...secretRef('broker') },
      },
    },
    schemaRegistry: { external: { url: 'https://registry.example', ...secretRef('registry') } },
    cassandra: {
      external: { contactPoints: ['ring.example'], localDatacenter: 'west', tls, ...secretRef('ring') },
    },
    ...spec,
  });
}

export const PASSWORDS = ['s3cret-user', 's3cret-super', 's3cret-ring', 's3cret-audit'] as const;

/** Every object that the operator makes for a pipeline, Secrets included. */
export function allObjects(pipeline: Pipeline, context: BuildContext = CONTEXT): KubeObject[] {
  const [password, superuserPassword, ring, reader] = PASSWORDS;
  return [
    ...(pipeline.spec.postgres.managed ? [postgresSecret(pipeline, { password, superuserPassword })] : []),
    ...(pipeline.spec.cassandra.managed ? [cassandraSecret(pipeline, { password: ring })] : []),
    ...(auditRoles(pipeline).length > 0 ? [auditSecret(pipeline, { password: reader })] : []),
    ...kafkaObjects(pipeline),
    ...operandObjects(pipeline, context),
  ];
}

/** The objects with pods of our own, and what belongs to them. */
export function operandObjects(pipeline: Pipeline, context: BuildContext = CONTEXT): KubeObject[] {
  const teardown = teardownJob(pipeline, context, true);
  return [
    ...postgresObjects(pipeline, context),
    ...cassandraObjects(pipeline, context),
    ...registryObjects(pipeline, context),
    ...provisionObjects(pipeline, context),
    teardown,
    teardownConfig(pipeline, { metadata: { ...teardown.metadata, uid: pipeline.uid } }),
    ...ingestObjects(pipeline, context),
    ...relayObjects(pipeline, context),
    ...auditObjects(pipeline, context),
    ...sparkObjects(pipeline, context),
  ];
}

/** The pod template of each workload, by the workload's kind and name. */
export function podTemplates(objects: KubeObject[]): { name: string; template: V1PodTemplateSpec }[] {
  return objects.flatMap(({ kind, metadata, spec }) => {
    const template = (spec as { template?: V1PodTemplateSpec } | undefined)?.template;
    return template?.spec?.containers ? [{ name: `${kind} ${metadata.name}`, template }] : [];
  });
}
