import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import { accessEnv, accessHashes, accessMounts, accessVolumes, type System } from './access.ts';
import { CHECKPOINT_DIRECTORY, configJson } from './config.ts';
import type { BuildContext } from './images.ts';
import { configMap, hash, metadata, objectName } from './meta.ts';
import { configVolume, container, http, podSpec, podTemplate, probes, UID } from './pod.ts';
import { containerResources } from './quantities.ts';
import {
  BLOCK_MANAGER_PORT,
  CONFIG_DIRECTORY,
  DRIVER_PORT,
  executorTemplate,
  sparkDefaults,
} from './spark-files.ts';
import { service, statefulSet, volumeClaim } from './workload.ts';

const SYSTEMS: System[] = ['KAFKA', 'SCHEMA_REGISTRY', 'CASSANDRA'];

/** Spark's own label; executors, which share all others with the driver, have `executor` there. */
const DRIVER = { 'spark-role': 'driver' };

function driverContainer(pipeline: Pipeline, image: string): V1Container {
  const { driver, checkpoint } = pipeline.spec.spark;
  return container({
    name: 'driver',
    image,
    command: ['python3', '/opt/userstream/spark/stream.py'],
    env: [
      { name: 'HOME', value: '/tmp' },
      { name: 'SPARK_CONF_DIR', value: CONFIG_DIRECTORY },
      // Tells a driver that was started again from one whose pod was followed by another.
      { name: 'POD_UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
      ...accessEnv(pipeline, SYSTEMS),
    ],
    ports: [
      { name: 'http', containerPort: 8080 },
      { name: 'driver', containerPort: DRIVER_PORT },
      { name: 'blocks', containerPort: BLOCK_MANAGER_PORT },
    ],
    resources: containerResources(driver.resources),
    ...probes(http('/healthz'), http('/readyz'), 120),
    volumeMounts: [
      { name: 'config', mountPath: CONFIG_DIRECTORY, readOnly: true },
      ...(checkpoint.uri ? [] : [{ name: 'checkpoint', mountPath: CHECKPOINT_DIRECTORY }]),
      ...accessMounts(pipeline, SYSTEMS),
    ],
  });
}

function driverPod(pipeline: Pipeline, image: string): V1PodSpec {
  const name = objectName(pipeline, 'spark');
  return podSpec(UID.spark, {
    serviceAccountName: name,
    automountServiceAccountToken: true,
    terminationGracePeriodSeconds: 30,
    containers: [driverContainer(pipeline, image)],
    volumes: [configVolume('config', name), ...accessVolumes(pipeline, SYSTEMS)],
  });
}

function configFiles(pipeline: Pipeline, image: string): Record<string, string> {
  return {
    'config.json': configJson(pipeline, ['pipeline', 'kafka', 'schemaRegistry', 'cassandra', 'spark']),
    'spark-defaults.conf': sparkDefaults(pipeline, image),
    'executor.json': `${JSON.stringify(executorTemplate(pipeline, image), null, 2)}\n`,
  };
}

/** The rights of the driver: the pods of its executors, and to find its own. */
function rights(pipeline: Pipeline): KubeObject[] {
  const meta = metadata(pipeline, 'spark');
  const verbs = ['create', 'get', 'list', 'watch', 'delete', 'deletecollection'];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta, automountServiceAccountToken: false },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: meta,
      rules: [{ apiGroups: [''], resources: ['pods'], verbs }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: meta,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: meta.name },
      subjects: [{ kind: 'ServiceAccount', name: meta.name, namespace: pipeline.namespace }],
    },
  ];
}

/**
 * All objects of the streaming job. The driver is a StatefulSet of one, so that there is never a second one on its
 * checkpoint; it makes its executors itself.
 * @param replicas 0 once a suspended pipeline is drained
 */
export function sparkObjects(
  pipeline: Pipeline,
  { images, secretHashes }: BuildContext,
  replicas = 1,
): KubeObject[] {
  const { checkpoint } = pipeline.spec.spark;
  const files = configFiles(pipeline, images.spark);
  const configHash = hash([files, accessHashes(pipeline, SYSTEMS, secretHashes)]);
  const template = podTemplate(pipeline, 'spark', configHash, driverPod(pipeline, images.spark));
  const claim = volumeClaim(pipeline, 'spark', 'checkpoint', checkpoint.storage);
  const ports = { driver: DRIVER_PORT, blocks: BLOCK_MANAGER_PORT };
  return [
    ...rights(pipeline),
    configMap(metadata(pipeline, 'spark'), files),
    service(pipeline, 'spark', ports, { headless: true, selector: DRIVER }),
    statefulSet(
      pipeline,
      'spark',
      {
        replicas,
        template: {
          ...template,
          metadata: { ...template.metadata, labels: { ...template.metadata?.labels, ...DRIVER } },
        },
        ...(checkpoint.uri ? {} : { volumeClaimTemplates: [claim] }),
      },
      DRIVER,
    ),
  ];
}
