import type { V1Container, V1PodTemplateSpec } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import { accessEnv, accessHashes, accessMounts, accessVolumes, type System } from './access.ts';
import { configJson, type PipelineSections } from './config.ts';
import type { BuildContext } from './images.ts';
import { configMap, hash, metadata, objectName } from './meta.ts';
import { configVolume, container, http, podSpec, podTemplate, probes, spread, UID } from './pod.ts';
import { containerResources, type Resources } from './quantities.ts';
import { deployment } from './workload.ts';

/** One of the TypeScript workers: what it runs, and what it is told and given to know. */
export type Worker = {
  component: 'ingest' | 'relay' | 'provision' | 'audit';
  /** Arguments after the worker's own `main.ts`. */
  args?: string[];
  sections: (keyof PipelineSections)[];
  systems: System[];
  resources: Resources;
};

/** The worker's `config.json`, under the name of its component unless told otherwise. */
export function workerConfig(pipeline: Pipeline, worker: Worker, name?: string): KubeObject {
  const data = { 'config.json': configJson(pipeline, worker.sections) };
  return configMap(metadata(pipeline, worker.component, name), data);
}

/** The container common to Deployments and Jobs. */
export function workerContainer(pipeline: Pipeline, worker: Worker, image: string): V1Container {
  const { component, args = [], systems, resources } = worker;
  return container({
    name: component,
    image,
    workingDir: '/opt/userstream',
    command: ['node', `workers/${component}/main.ts`, ...args],
    env: [{ name: 'NODE_ENV', value: 'production' }, ...accessEnv(pipeline, systems)],
    ports: [{ name: 'http', containerPort: 8080 }],
    resources: containerResources(resources),
    volumeMounts: [
      { name: 'config', mountPath: '/etc/userstream', readOnly: true },
      ...accessMounts(pipeline, systems),
    ],
  });
}

function template(
  pipeline: Pipeline,
  worker: Worker,
  { images, secretHashes }: BuildContext,
): V1PodTemplateSpec {
  const { component, sections, systems } = worker;
  const configHash = hash([configJson(pipeline, sections), accessHashes(pipeline, systems, secretHashes)]);
  const own = workerContainer(pipeline, worker, images.workers);
  const spec = podSpec(UID.workers, {
    terminationGracePeriodSeconds: 30,
    topologySpreadConstraints: spread(pipeline, component),
    containers: [{ ...own, ...probes(http('/healthz'), http('/readyz'), 60) }],
    volumes: [configVolume('config', objectName(pipeline, component)), ...accessVolumes(pipeline, systems)],
  });
  return podTemplate(pipeline, component, configHash, spec);
}

/** ConfigMap and Deployment of a worker. */
export function workerObjects(
  pipeline: Pipeline,
  worker: Worker,
  replicas: number,
  context: BuildContext,
): KubeObject[] {
  return [
    workerConfig(pipeline, worker),
    deployment(pipeline, worker.component, {
      replicas,
      // Never a pod more than asked for: the cluster may have no room for it.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      template: template(pipeline, worker, context),
    }),
  ];
}
