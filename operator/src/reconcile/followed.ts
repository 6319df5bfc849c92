import type { V1StatefulSetSpec } from '@kubernetes/client-node';
import { GROUP, KIND, VERSION } from '../api/pipeline.ts';
import { JOB, POD, SECRET, VOLUME_CLAIM } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Kind } from '../kube/resources.ts';
import type { Keep } from '../kube/standing.ts';
import type { Followed } from '../kube/store.ts';
import { MADE_FROM } from '../specs/meta.ts';
import { OWNED, STRIMZI } from './owned.ts';

export const PIPELINES: Kind = { apiVersion: `${GROUP}/${VERSION}`, kind: KIND };

const OF_PIPELINES = 'app.kubernetes.io/name=userstream';

type Fields = Record<string, unknown>;

const entries = (fields: unknown) => Object.entries((fields ?? {}) as Fields);

function without(fields: unknown, ...names: string[]): Fields {
  return Object.fromEntries(entries(fields).filter(([name]) => !names.includes(name)));
}

function only(fields: unknown, ...names: string[]): Fields {
  return Object.fromEntries(entries(fields).filter(([name]) => names.includes(name)));
}

const each = (list: unknown, keep: (item: unknown) => Fields) =>
  Array.isArray(list) ? list.map(keep) : list;

/** Without what is the same for all of a component's objects, and of owners their uids. */
function metadataOf({ metadata }: KubeObject): Fields {
  const labels = entries(metadata.labels).filter(([name]) => !name.startsWith('app.kubernetes.io/'));
  return {
    ...without(metadata, 'managedFields', 'annotations'),
    labels: Object.fromEntries(labels),
    ownerReferences: each(metadata.ownerReferences, (owner) => only(owner, 'uid')),
  };
}

/** All but the pod template, which is most of it and nobody's business once it is applied. */
const job: Keep = (object) => ({
  ...object,
  metadata: metadataOf(object),
  spec: without(object['spec'], 'template'),
});

/** Its numbers say how it is; its conditions say them once more, but for why no pod can be made. */
const workload: Keep = (object) => {
  const { conditions, ...status } = (object['status'] ?? {}) as { conditions?: { type: string }[] };
  const failures = conditions?.filter(({ type }) => type === 'ReplicaFailure') ?? [];
  return { ...job(object), status: failures.length > 0 ? { ...status, conditions: failures } : status };
};

/**
 * Of the pod template the images that run: what Postgres can read is decided by them. Also what the whole was made from:
 * stateful-set.ts compares that.
 */
const statefulSet: Keep = (object) => {
  const annotations = only(object.metadata.annotations, MADE_FROM);
  const { template } = (object['spec'] ?? {}) as Partial<V1StatefulSetSpec>;
  const containers = each(template?.spec?.containers, (container) => only(container, 'name', 'image'));
  const spec = { ...without(object['spec'], 'template'), template: { spec: { containers } } };
  return { ...workload(object), metadata: { ...metadataOf(object), annotations }, spec };
};

/** How it is, not how it should be. */
const statusOnly: Keep = (object) => ({ ...without(object, 'spec'), metadata: metadataOf(object) });

const pod: Keep = (object) => {
  const status = only(
    object['status'],
    'phase',
    'podIP',
    'conditions',
    'initContainerStatuses',
    'containerStatuses',
  );
  const container = (item: unknown) => only(item, 'name', 'ready', 'restartCount', 'state', 'lastState');
  return {
    ...statusOnly(object),
    spec: only(object['spec'], 'nodeName'),
    status: {
      ...status,
      conditions: each(status['conditions'], (item) => only(item, 'type', 'status', 'reason', 'message')),
      initContainerStatuses: each(status['initContainerStatuses'], container),
      containerStatuses: each(status['containerStatuses'], container),
    },
  };
};

const whole: Keep = (object) => ({ ...object, metadata: metadataOf(object) });

/** Of a pipeline, what says which names it claims, and since when: claimed.ts asks all for it. */
const claims: Keep = ({ metadata, spec, status, ...kind }) => ({
  ...kind,
  metadata: only(metadata, 'namespace', 'name', 'uid', 'creationTimestamp'),
  spec: only(spec, 'kafka', 'schemaRegistry', 'cassandra'),
  status: only(status, 'dataSince'),
});

/** Of the kinds whose state the steps look at more is kept than of those that only have to be there. */
const KEPT: Record<string, Keep> = {
  StatefulSet: statefulSet,
  Deployment: workload,
  Job: job,
  PersistentVolumeClaim: whole,
  Pod: pod,
  Kafka: statusOnly,
  KafkaNodePool: statusOnly,
  KafkaTopic: statusOnly,
};

const OTHERS: Kind[] = [JOB, POD, VOLUME_CLAIM];

function followed(kind: Kind): Followed {
  const keep = KEPT[kind.kind];
  return {
    kind,
    optional: STRIMZI.includes(kind),
    ...(keep ? { keep } : {}),
    // Of a Secret that a pipeline names, which bears no label of ours, a change matters too.
    ...(kind.kind === SECRET.kind ? {} : { labelSelector: OF_PIPELINES }),
  };
}

/** All that the operator follows: pipelines, what belongs to them, and the metadata of all Secrets. */
export const FOLLOWED: Followed[] = [
  { kind: PIPELINES, keep: claims },
  ...[...OWNED, ...OTHERS].map(followed),
];
