import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import { cassandraYaml, jvmOptions, LOGBACK, RACK, startScript } from './cassandra-files.ts';
import type { BuildContext } from './images.ts';
import { configMap, hash, metadata, objectName, retainedMetadata } from './meta.ts';
import { configVolume, container, podSpec, podTemplate, spread, tcp, UID } from './pod.ts';
import { containerResources } from './quantities.ts';
import { base64 } from './secrets.ts';
import { service, statefulSet, volumeClaim } from './workload.ts';

type Managed = NonNullable<Pipeline['spec']['cassandra']['managed']>;

/** The role by which the pipeline uses its own ring; `provision` makes it. */
export function cassandraSecret(pipeline: Pipeline, { password }: { password: string }): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: retainedMetadata(pipeline, 'cassandra'),
    type: 'Opaque',
    data: base64({ username: 'userstream', password }),
  };
}

function cassandraContainer(image: string, { resources }: Managed): V1Container {
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return container({
    name: 'cassandra',
    image,
    command: ['sh', '/etc/cassandra/start.sh'],
    env: [field('POD_NAME', 'metadata.name'), field('POD_IP', 'status.podIP')],
    ports: [
      { name: 'cql', containerPort: 9042 },
      { name: 'storage', containerPort: 7000 },
    ],
    resources: containerResources(resources),
    // The storage port opens once the commit log is replayed, CQL only when the node has joined, which may take hours.
    startupProbe: { ...tcp('storage'), periodSeconds: 5, failureThreshold: 360 },
    livenessProbe: { ...tcp('storage'), periodSeconds: 10, failureThreshold: 6 },
    readinessProbe: { ...tcp('cql'), periodSeconds: 5, failureThreshold: 2 },
    volumeMounts: [
      { name: 'data', mountPath: '/var/lib/cassandra' },
      { name: 'config', mountPath: '/etc/cassandra', readOnly: true },
    ],
  });
}

function pod(pipeline: Pipeline, image: string, managed: Managed): V1PodSpec {
  return podSpec(UID.cassandra, {
    // Cassandra drains on SIGTERM: what is in memory goes to disk.
    terminationGracePeriodSeconds: 120,
    topologySpreadConstraints: spread(pipeline, 'cassandra'),
    containers: [cassandraContainer(image, managed)],
    volumes: [configVolume('config', objectName(pipeline, 'cassandra'))],
  });
}

/** ConfigMap, headless Service and StatefulSet of a managed ring; nothing where it is an existing one. */
export function cassandraObjects(pipeline: Pipeline, { images }: BuildContext): KubeObject[] {
  const { managed } = pipeline.spec.cassandra;
  if (!managed) return [];
  const data = {
    'start.sh': startScript(pipeline),
    'cassandra.yaml': cassandraYaml(pipeline, managed),
    'jvm.options': jvmOptions(pipeline, managed),
    'logback.xml': LOGBACK,
    'cassandra-rackdc.properties': RACK,
  };
  const spec = pod(pipeline, managed.image ?? images.cassandra, managed);
  return [
    configMap(metadata(pipeline, 'cassandra'), data),
    service(pipeline, 'cassandra', { cql: 9042, storage: 7000 }, { headless: true }),
    statefulSet(pipeline, 'cassandra', {
      replicas: managed.replicas,
      podManagementPolicy: 'OrderedReady',
      template: podTemplate(pipeline, 'cassandra', hash(data), spec),
      volumeClaimTemplates: [volumeClaim(pipeline, 'cassandra', 'data', managed.storage)],
    }),
  ];
}
