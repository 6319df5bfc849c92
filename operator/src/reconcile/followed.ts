import { GROUP, KIND, VERSION } from '../api/pipeline.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Kind } from '../kube/resources.ts';
import type { Keep } from '../kube/standing.ts';
import type { Followed } from '../kube/store.ts';
import { OWNED, STRIMZI } from './owned.ts';

export const PIPELINES: Kind = { apiVersion: `${GROUP}/${VERSION}`, kind: KIND };
export const SECRETS: Kind = { apiVersion: 'v1', kind: 'Secret' };

const OF_PIPELINES = 'app.kubernetes.io/name=userstream';

type Fields = Record<string, unknown>;

function without(fields: unknown, ...names: string[]): Fields {
  return Object.fromEntries(
    Object.entries((fields ?? {}) as Fields).filter(([name]) => !names.includes(name)),
  );
}

const metadataOf = ({ metadata }: KubeObject) => without(metadata, 'managedFields');

/** All but the pod template, which is most of a workload and nobody's business once it is applied. */
const workload: Keep = (object) => ({
  ...object,
  metadata: metadataOf(object),
  spec: without(object['spec'], 'template'),
});

/** How it is, not how it should be. */
const statusOnly: Keep = (object) => ({ ...without(object, 'spec'), metadata: metadataOf(object) });

const whole: Keep = (object) => ({ ...object, metadata: metadataOf(object) });

/** Of the kinds whose state the steps look at more is kept than of those that only have to be there. */
const KEPT: Record<string, Keep> = {
  StatefulSet: workload,
  Deployment: workload,
  Job: workload,
  PersistentVolumeClaim: whole,
  Pod: statusOnly,
  Kafka: statusOnly,
  KafkaNodePool: statusOnly,
  KafkaTopic: statusOnly,
};

const OTHERS: Kind[] = [
  { apiVersion: 'batch/v1', kind: 'Job' },
  { apiVersion: 'v1', kind: 'Pod' },
  { apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
];

function followed(kind: Kind): Followed {
  const keep = KEPT[kind.kind];
  return {
    kind,
    optional: STRIMZI.includes(kind),
    ...(keep ? { keep } : {}),
    // Of a Secret that a pipeline names, which bears no label of ours, a change matters too.
    ...(kind.kind === SECRETS.kind ? {} : { labelSelector: OF_PIPELINES }),
  };
}

/** All that the operator follows: pipelines, what belongs to them, and the metadata of all Secrets. */
export const FOLLOWED: Followed[] = [{ kind: PIPELINES }, ...[...OWNED, ...OTHERS].map(followed)];
