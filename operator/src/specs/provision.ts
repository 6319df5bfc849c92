import type { V1JobSpec, V1PodTemplateSpec } from '@kubernetes/client-node';
import { GROUP } from '../api/pipeline.ts';
import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import { accessHashes, accessVolumes, auditRoles, type System } from './access.ts';
import { configJson, teardownSystems } from './config.ts';
import type { BuildContext } from './images.ts';
import { hash, metadata, objectName } from './meta.ts';
import { configVolume, podSpec, podTemplate, UID } from './pod.ts';
import { type Worker, workerConfig, workerContainer } from './worker.ts';

const RESOURCES = { requests: { cpu: '20m', memory: '128Mi' }, limits: { memory: '256Mi' } };

const PROVISION: Worker = {
  component: 'provision',
  sections: [
    'pipeline',
    'fields',
    'postgres',
    'kafka',
    'topics',
    'registryTopics',
    'schemaRegistry',
    'cassandra',
  ],
  systems: ['POSTGRES', 'KAFKA', 'SCHEMA_REGISTRY', 'CASSANDRA'],
  resources: RESOURCES,
};

/** It knows the audit's roles only to make them. */
function provisionWorker(pipeline: Pipeline): Worker {
  return { ...PROVISION, systems: provisionSystems(pipeline) };
}

/** The systems that provision gets at. */
export function provisionSystems(pipeline: Pipeline): System[] {
  return [...PROVISION.systems, ...auditRoles(pipeline)];
}

/** It gets in only where something is to be undone. */
function teardownWorker(pipeline: Pipeline): Worker {
  return {
    ...PROVISION,
    args: ['teardown'],
    sections: [...PROVISION.sections, 'teardown'],
    systems: teardownSystems(pipeline),
  };
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
    // Else the policy below isn't allowed, and who has failed leaves no log.
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 10,
    containers: [workerContainer(pipeline, worker, images.workers)],
    volumes: [configVolume('config', configName), ...accessVolumes(pipeline, systems)],
  });
  return podTemplate(pipeline, component, configHash, spec);
}

/**
 * A pod that was drained, evicted or preempted, or whose node was deleted, has not failed: another goes on, once this one has
 * ended.
 */
const INTERRUPTED = { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] };

function job(pipeline: Pipeline, name: string, podTemplate: V1PodTemplateSpec): KubeObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadata(pipeline, 'provision', name),
    spec: { backoffLimit: 6, podFailurePolicy: { rules: [INTERRUPTED] }, template: podTemplate },
  };
}

/**
 * ConfigMap and Job of the worker that makes topics, tables and subjects. A Job can't be changed: its name holds a hash of
 * all that it runs, and one by another name is a leftover of an earlier spec.
 */
export function provisionObjects(pipeline: Pipeline, context: BuildContext): KubeObject[] {
  const name = objectName(pipeline, 'provision');
  const worker = provisionWorker(pipeline);
  const pod = template(pipeline, worker, name, context);
  return [workerConfig(pipeline, worker), job(pipeline, `${name}-${hash(pod).slice(0, 8)}`, pod)];
}

/** Bears the uid of the pipeline whose teardown a Job is, for the next one of its name has another. */
export const TEARDOWN_OF = `${GROUP}/teardown-of`;

/** What is left of a teardown that the operator could not clear away goes after a day. */
const TEARDOWN_KEPT_SECONDS = 86_400;

/** A little more than the operator gives it. Only what has ended goes by itself. */
const TEARDOWN_SECONDS = 360;

const teardownName = (pipeline: Pipeline) => `${pipeline.name}-teardown`;

/**
 * The Job that undoes what lives outside the namespace; for pipelines with `teardownSystems`. What it runs is corrected
 * by another Job.
 * @param owned whether it goes with the pipeline: not where garbage collection takes what the pipeline owns before it
 */
export function teardownJob(pipeline: Pipeline, context: BuildContext, owned: boolean): KubeObject {
  const name = teardownName(pipeline);
  const pod = template(pipeline, teardownWorker(pipeline), name, context);
  const { metadata, spec, ...kind } = job(pipeline, `${name}-${hash([pipeline.uid, pod]).slice(0, 8)}`, pod);
  const { ownerReferences, ...meta } = metadata;
  return {
    ...kind,
    metadata: {
      ...meta,
      labels: { ...meta.labels, [TEARDOWN_OF]: pipeline.uid },
      ...(owned && ownerReferences ? { ownerReferences } : {}),
    },
    spec: {
      ...(spec as V1JobSpec),
      activeDeadlineSeconds: TEARDOWN_SECONDS,
      ttlSecondsAfterFinished: TEARDOWN_KEPT_SECONDS,
    },
  };
}

/** What the teardown `job` reads, and goes with. */
export function teardownConfig(pipeline: Pipeline, { metadata }: Pick<KubeObject, 'metadata'>): KubeObject {
  const config = workerConfig(pipeline, teardownWorker(pipeline), teardownName(pipeline));
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: metadata.name, uid: metadata.uid ?? '' };
  return { ...config, metadata: { ...config.metadata, ownerReferences: [owner] } };
}
