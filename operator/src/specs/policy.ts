import type { V1StatefulSetSpec } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import type { KubeObject, OwnerReference } from '../kube/object.ts';
import { ownerReference } from './meta.ts';

/** A JSON merge patch. */
export type Patch = { metadata?: Record<string, unknown>; spec?: Record<string, unknown> };

/** Whether an owner goes when the pipeline does, and takes what has no other owner along. */
function goesAlong(pipeline: Pipeline, { apiVersion, kind, uid }: OwnerReference): boolean {
  return uid === pipeline.uid || kind === 'StatefulSet' || apiVersion.startsWith('kafka.strimzi.io/');
}

/** Owned by the pipeline it goes with it, beside whoever else owns it; owned by nobody that goes, it stays. */
function ownersPatch(pipeline: Pipeline, { metadata }: KubeObject): Patch | undefined {
  const owners = metadata.ownerReferences ?? [];
  if (pipeline.spec.deletionPolicy === 'Retain') {
    const others = owners.filter((owner) => !goesAlong(pipeline, owner));
    return others.length < owners.length ? { metadata: { ownerReferences: others } } : undefined;
  }
  if (owners.some(({ uid }) => uid === pipeline.uid)) return undefined;
  // It may be controlled by another already, and must not hold up the pipeline.
  const { controller, blockOwnerDeletion, ...owner } = ownerReference(pipeline);
  return { metadata: { ownerReferences: [...owners, owner] } };
}

function setPatch({ spec }: Pipeline, live: KubeObject): Patch | undefined {
  const whenDeleted = spec.deletionPolicy;
  const { persistentVolumeClaimRetentionPolicy: policy } = live['spec'] as V1StatefulSetSpec;
  if (policy?.whenDeleted === whenDeleted) return undefined;
  return { spec: { persistentVolumeClaimRetentionPolicy: { whenDeleted } } };
}

type Storage = { volumes?: { deleteClaim?: boolean }[] };

function poolPatch({ spec }: Pipeline, live: KubeObject): Patch | undefined {
  const deleteClaim = spec.deletionPolicy === 'Delete';
  const { volumes = [] } = (live['spec'] as { storage: Storage }).storage;
  if (volumes.every((volume) => (volume.deleteClaim ?? false) === deleteClaim)) return undefined;
  return { spec: { storage: { volumes: volumes.map((volume) => ({ ...volume, deleteClaim })) } } };
}

const MANAGED = 'strimzi.io/managed';

/** Strimzi leaves an unmanaged topic in Kafka when its resource is deleted. */
function topicPatch({ spec }: Pipeline, { metadata }: KubeObject): Patch | undefined {
  const managed = String(spec.deletionPolicy === 'Delete');
  if ((metadata.annotations?.[MANAGED] ?? 'true') === managed) return undefined;
  return { metadata: { annotations: { [MANAGED]: managed } } };
}

/**
 * What has to change in an object as it stands, one of those that the pipeline's deletionPolicy is about, so that it stays
 * or goes as the resource says now; undefined where it does already.
 */
export function policyPatch(pipeline: Pipeline, live: KubeObject): Patch | undefined {
  switch (live.kind) {
    case 'StatefulSet':
      return setPatch(pipeline, live);
    case 'KafkaNodePool':
      return poolPatch(pipeline, live);
    case 'KafkaTopic':
      return topicPatch(pipeline, live);
    default:
      return ownersPatch(pipeline, live);
  }
}
