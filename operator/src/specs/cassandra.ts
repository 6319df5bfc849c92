import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import type { KubeObject } from '../kube/object.ts';
import {
  cassandraYaml,
  jvmOptions,
  LOGBACK,
  MODULES,
  RACK,
  roleCopies,
  startScript,
} from './cassandra-files.ts';
import { NODETOOL, OPERATION } from './cassandra-scripts.ts';
import type { BuildContext } from './images.ts';
import { configMap, hash, metadata, objectName, retainedMetadata, selectorLabels } from './meta.ts';
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

/** Nodes are drained one at a time: two at once could take a row's quorum away. */
function disruptionBudget(pipeline: Pipeline): KubeObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(pipeline, 'cassandra'),
    spec: { maxUnavailable: 1, selector: { matchLabels: selectorLabels(pipeline, 'cassandra') } },
  };
}

/** What the ring's own state adds to its spec: how many nodes it has just now, and annotations of its ConfigMap. */
export type RingState = { nodes?: number; annotations?: Record<string, string> };

/** ConfigMap, headless Service, disruption budget and StatefulSet of a managed ring; nothing where it is an existing one. */
export function cassandraObjects(
  pipeline: Pipeline,
  { images }: BuildContext,
  { nodes, annotations }: RingState = {},
): KubeObject[] {
  const { managed } = pipeline.spec.cassandra;
  if (!managed) return [];
  const data = {
    'start.sh': startScript(pipeline),
    'nodetool.sh': NODETOOL,
    'operation.sh': OPERATION,
    'cassandra.yaml': cassandraYaml(pipeline, managed),
    'jvm.options': jvmOptions(managed),
    'modules.options': MODULES,
    'logback.xml': LOGBACK,
    'cassandra-rackdc.properties': RACK,
  };
  const spec = pod(pipeline, managed.image ?? images.cassandra, managed);
  const meta = metadata(pipeline, 'cassandra');
  return [
    // Read by a node that founds a ring only: not in the hash, so that other copies restart none.
    configMap(annotations ? { ...meta, annotations } : meta, {
      ...data,
      'role-copies': String(roleCopies(pipeline)),
    }),
    service(pipeline, 'cassandra', { cql: 9042, storage: 7000 }, { headless: true }),
    disruptionBudget(pipeline),
    statefulSet(pipeline, 'cassandra', {
      replicas: nodes ?? managed.replicas,
      podManagementPolicy: 'OrderedReady',
      // A node is up for the others some seconds after it is for itself: the next one waits, or a quorum could be missed.
      minReadySeconds: 10,
      template: podTemplate(pipeline, 'cassandra', hash(data), spec),
      volumeClaimTemplates: [volumeClaim(pipeline, 'cassandra', 'data', managed.storage)],
    }),
  ];
}
