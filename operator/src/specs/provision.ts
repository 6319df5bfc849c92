import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import { accessHashes, accessVolumes } from './access.ts';
import { configJson, teardownSystems } from './config.ts';
import type { BuildContext } from './images.ts';
import { hash, metadata, objectName } from './meta.ts';
import { configVolume, podSpec, podTemplate, UID } from './pod.ts';
import { type Worker, workerConfig, workerContainer } from './worker.ts';

const RESOURCES = { requests: { cpu: '20m', memory: '128Mi' }, limits: { memory: '256Mi' } };

const PROVISION: Worker = {
  component: 'provision',
  sections: ['pipeline', 'postgres', 'kafka', 'topics', 'registryTopics', 'schemaRegistry', 'cassandra'],
  systems: ['POSTGRES', 'KAFKA', 'SCHEMA_REGISTRY', 'CASSANDRA'],
  resources: RESOURCES,
};

/** It gets in only where something is to be undone. */
function teardownWorker(pipeline: Pipeline): Worker {
  return {
    ...PROVISION,
    args: ['teardown'],
    sections: [...PROVISION.sections, 'teardown'],
    systems: teardownSystems(pipeline),
  };
}

/** The pipeline's own teardown must outlive its garbage collection: the finalizer deletes it when it is done. */
function unowned(object: KubeObject): KubeObject {
  const { ownerReferences: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function template(
  pipeline: Pipeline,
  worker: Worker,
  configName: string,
  { images, secretHashes }: BuildContext,
): V1PodTemplateSpec {
  const { component, sections, systems } = worker;
  const configHash = hash([configJson(pipeline, sections), accessHashes(pipeline, systems, secretHashes)]);
  const spec = podSpec(UID.workers, {
    restartPolicy: 'OnFailure',
    terminationGracePeriodSeconds: 10,
    containers: [workerContainer(pipeline, worker, images.workers)],
    volumes: [configVolume('config', configName), ...accessVolumes(pipeline, systems)],
  });
  return podTemplate(pipeline, component, configHash, spec);
}

function job(pipeline: Pipeline, name: string, podTemplate: V1PodTemplateSpec): KubeObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadata(pipeline, 'provision', name),
    spec: { backoffLimit: 6, template: podTemplate },
  };
}

/**
 * ConfigMap and Job of the worker that makes topics, tables and subjects. A Job can't be changed: its name holds a hash of
 * all that it runs, and one by another name is a leftover of an earlier spec.
 */
export function provisionObjects(pipeline: Pipeline, context: BuildContext): KubeObject[] {
  const name = objectName(pipeline, 'provision');
  const pod = template(pipeline, PROVISION, name, context);
  return [workerConfig(pipeline, PROVISION), job(pipeline, `${name}-${hash(pod).slice(0, 8)}`, pod)];
}

/** The name of the Job, and of its ConfigMap, that undoes what lives outside the namespace. */
export function teardownName(pipeline: Pipeline): string {
  return `${pipeline.name}-teardown`;
}

/** ConfigMap and Job of the worker that undoes what lives outside the namespace; for pipelines with `teardownSystems`. */
export function teardownObjects(pipeline: Pipeline, context: BuildContext): KubeObject[] {
  const name = teardownName(pipeline);
  const worker = teardownWorker(pipeline);
  const objects = [
    workerConfig(pipeline, worker, name),
    job(pipeline, name, template(pipeline, worker, name, context)),
  ];
  return objects.map(unowned);
}
