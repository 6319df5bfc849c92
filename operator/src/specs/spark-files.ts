import type { V1Pod } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import { quantityValue } from '../api/scalars.ts';
import { RESERVED_PROPERTIES } from '../api/spark.ts';
import { accessEnv, accessMounts, accessVolumes } from './access.ts';
import { labels, objectName, serviceHost } from './meta.ts';
import { container, podSpec, UID } from './pod.ts';
import { propertiesFile } from './properties.ts';
import { canonicalQuantity, memoryMib, type Resources } from './quantities.ts';

export const CONFIG_DIRECTORY = '/etc/userstream';
export const DRIVER_PORT = 7078;
export const BLOCK_MANAGER_PORT = 7079;

/** The JVM's part of a container's memory; the rest is for Python, threads and buffers. */
const HEAP_SHARE = 0.6;

/** Without a limit, requests say what is set aside, not what Spark may use: it refuses a heap below 450 MiB. */
const LEAST_MIB = 768;

function memory(resources: Resources): { heap: number; rest: number } {
  const all = Math.max(LEAST_MIB, memoryMib(resources, 1536));
  const heap = Math.floor(all * HEAP_SHARE);
  return { heap, rest: all - heap };
}

/** Tasks that run at once in an executor: one a CPU that it may use. */
function taskSlots({ requests, limits }: Resources): number {
  return Math.max(1, Math.floor(quantityValue(limits.cpu ?? requests.cpu ?? 1)));
}

/** Without these limits one garbled length in a record makes Avro ask for gigabytes. */
const AVRO_LIMITS = [
  '-Dorg.apache.avro.limits.string.maxLength=67108864',
  '-Dorg.apache.avro.limits.bytes.maxLength=67108864',
  '-Dorg.apache.avro.limits.collectionItems.maxLength=1000000',
];
const JAVA_OPTIONS = [
  '-XX:+UseSerialGC',
  '-Djava.io.tmpdir=/tmp',
  '-Dlog4j2.configurationFile=file:/opt/userstream/spark/log4j2.properties',
  ...AVRO_LIMITS,
].join(' ');

function executorProperties(pipeline: Pipeline): Record<string, string> {
  const { instances, resources } = pipeline.spec.spark.executor;
  const { heap, rest } = memory(resources);
  const slots = taskSlots(resources);
  return {
    'spark.executor.instances': String(instances),
    'spark.executor.cores': String(slots),
    'spark.executor.memory': `${heap}m`,
    'spark.executor.memoryOverhead': `${rest}m`,
    'spark.executor.extraJavaOptions': JAVA_OPTIONS,
    'spark.kubernetes.executor.request.cores': canonicalQuantity(resources.requests.cpu ?? '100m'),
    ...(resources.limits.cpu
      ? { 'spark.kubernetes.executor.limit.cores': canonicalQuantity(resources.limits.cpu) }
      : {}),
    'spark.default.parallelism': String(instances * slots),
    'spark.sql.shuffle.partitions': String(instances * slots),
  };
}

function kubernetesProperties(pipeline: Pipeline, image: string): Record<string, string> {
  const name = objectName(pipeline, 'spark');
  return {
    'spark.kubernetes.namespace': pipeline.namespace,
    'spark.kubernetes.container.image': image,
    'spark.kubernetes.container.image.pullPolicy': 'IfNotPresent',
    // The owner of the executors: they go when the driver's pod goes.
    'spark.kubernetes.driver.pod.name': `${name}-0`,
    'spark.kubernetes.authenticate.driver.serviceAccountName': name,
    'spark.kubernetes.authenticate.executor.serviceAccountName': 'default',
    'spark.kubernetes.executor.podTemplateFile': `${CONFIG_DIRECTORY}/executor.json`,
    'spark.kubernetes.executor.podTemplateContainerName': 'executor',
    'spark.kubernetes.executor.deleteOnTermination': 'true',
    'spark.kubernetes.allocation.batch.delay': '200ms',
    // What would need rights beyond pods.
    'spark.kubernetes.executor.disableConfigMap': 'true',
    'spark.kubernetes.driver.service.deleteOnTermination': 'false',
    'spark.kubernetes.driver.ownPersistentVolumeClaim': 'false',
    'spark.kubernetes.driver.reusePersistentVolumeClaim': 'false',
  };
}

/** spark-defaults.conf; what the resource says in `spark.conf` comes last and wins, but for what is reserved. */
export function sparkDefaults(pipeline: Pipeline, image: string): string {
  const given = Object.entries(pipeline.spec.spark.conf).filter(
    ([name]) => !RESERVED_PROPERTIES.includes(name),
  );
  return propertiesFile({
    'spark.master': 'k8s://https://kubernetes.default.svc:443',
    'spark.submit.deployMode': 'client',
    'spark.app.name': `${pipeline.namespace}.${pipeline.name}`,
    'spark.driver.host': serviceHost(pipeline, 'spark'),
    'spark.driver.bindAddress': '0.0.0.0',
    'spark.driver.port': String(DRIVER_PORT),
    'spark.driver.blockManager.port': String(BLOCK_MANAGER_PORT),
    'spark.blockManager.port': String(BLOCK_MANAGER_PORT),
    'spark.driver.memory': `${memory(pipeline.spec.spark.driver.resources).heap}m`,
    'spark.driver.extraJavaOptions': JAVA_OPTIONS,
    'spark.dynamicAllocation.enabled': 'false',
    'spark.ui.enabled': 'false',
    'spark.task.maxFailures': '2',
    'spark.network.timeout': '60s',
    'spark.executor.heartbeatInterval': '10s',
    ...kubernetesProperties(pipeline, image),
    ...executorProperties(pipeline),
    ...Object.fromEntries(given),
  });
}

/** The pod that Spark completes to make an executor: it writes to Cassandra, and knows no other system's credentials. */
export function executorTemplate(pipeline: Pipeline, image: string): V1Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { labels: labels(pipeline, 'spark') },
    spec: podSpec(UID.spark, {
      terminationGracePeriodSeconds: 10,
      containers: [
        container({
          name: 'executor',
          image,
          env: [{ name: 'HOME', value: '/tmp' }, ...accessEnv(pipeline, ['CASSANDRA'])],
          volumeMounts: accessMounts(pipeline, ['CASSANDRA']),
        }),
      ],
      volumes: accessVolumes(pipeline, ['CASSANDRA']),
    }),
  };
}
