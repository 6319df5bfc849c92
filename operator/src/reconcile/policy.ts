import type { V1StatefulSetSpec } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound, isNotServed } from '../kube/errors.ts';
import { SECRET, STATEFUL_SET, VOLUME_CLAIM } from '../kube/kinds.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import { asKnown } from '../kube/options.ts';
import type { Kind } from '../kube/resources.ts';
import { componentSelector, objectName } from '../specs/meta.ts';
import { policyPatch } from '../specs/policy.ts';
import { FIELD_MANAGER, KAFKA_NODE_POOL, KAFKA_TOPIC } from './owned.ts';

/** The pipeline, and the way to what stands of it: what decides about data is read from the API server itself. */
export type Going = { client: KubeClient; pipeline: Pipeline };

/** The objects of a kind that the pipeline owns; none where the kind isn't served. */
export async function ownedNow({ client, pipeline }: Going, kind: Kind): Promise<KubeObject[]> {
  const { namespace, name, uid } = pipeline;
  const selection = { namespace, labelSelector: componentSelector(name) };
  const { items } = await client.list(kind, selection).catch((error) => {
    if (!isNotServed(error)) throw error;
    return { items: [] };
  });
  return items.filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
}

/** Makes an object stay or go as the pipeline says; answers it as it then stands. */
async function conform({ client, pipeline }: Going, live: KubeObject): Promise<KubeObject> {
  const patch = policyPatch(pipeline, live);
  if (!patch) return live;
  const options = { fieldManager: FIELD_MANAGER, preconditions: asKnown(live) };
  return await client.mergePatch(refOf(live), patch, options).catch((error) => {
    if (!isNotFound(error)) throw error;
    return live;
  });
}

/** Whether a claim is that of a pod that the set has, or had before a suspension; another may be of an earlier life. */
function isInUse(set: KubeObject, { metadata }: KubeObject): boolean {
  const { replicas = 1 } = set['spec'] as V1StatefulSetSpec;
  const ordinal = Number(metadata.name.split(`-${set.metadata.name}-`)[1] ?? Number.NaN);
  return ordinal < Math.max(1, replicas);
}

/** The claims of a StatefulSet's pods or of a node pool's. Those that are to stay are all of its name. */
async function claimsOf({ client, pipeline }: Going, owner: KubeObject): Promise<KubeObject[]> {
  const { namespace, name, spec } = pipeline;
  const isSet = owner.kind === STATEFUL_SET.kind;
  const component = owner.metadata.labels?.['app.kubernetes.io/component'];
  const labelSelector = isSet
    ? componentSelector(name, component)
    : `strimzi.io/cluster=${name},strimzi.io/pool-name=${owner.metadata.name}`;
  const { items } = await client.list(VOLUME_CLAIM, { namespace, labelSelector });
  const all = spec.deletionPolicy === 'Retain' || !isSet;
  return all ? items : items.filter((claim) => isInUse(owner, claim));
}

/** Whether whoever makes claims for a StatefulSet or a node pool has seen it as it is, or makes none any more. */
function isSeen({ metadata, ...rest }: KubeObject): boolean {
  const { observedGeneration = 0 } = (rest['status'] ?? {}) as { observedGeneration?: number };
  return metadata.deletionTimestamp !== undefined || observedGeneration >= (metadata.generation ?? 0);
}

/**
 * Makes a StatefulSet or a node pool, and its claims, stay or go as the pipeline says.
 * @returns whether it is done: whoever hasn't seen the change yet could make it own its claims once more
 */
async function conformVolumes(going: Going, live: KubeObject): Promise<boolean> {
  const owner = await conform(going, live);
  let done = isSeen(owner);
  const claims = await claimsOf(going, owner);
  for (const claim of claims) done = (await conform(going, claim)) === claim && done;
  return done || claims.length === 0 || going.pipeline.spec.deletionPolicy === 'Delete';
}

/** Makes the Secrets that open the volumes stay or go with them. */
async function conformSecrets(going: Going): Promise<void> {
  const { client, pipeline } = going;
  const { namespace } = pipeline;
  const names = (['postgres', 'cassandra'] as const).map((component) => objectName(pipeline, component));
  const { items } = await client.list(SECRET, { namespace, labelSelector: componentSelector(pipeline.name) });
  for (const secret of items) if (names.includes(secret.metadata.name)) await conform(going, secret);
}

/**
 * Makes all that stands stay or go as the deletionPolicy says now, which no step may have been able to write.
 * @returns whether it is done: only then may what owns volumes go
 */
export async function carryPolicy(going: Going): Promise<boolean> {
  let done = true;
  for (const kind of [STATEFUL_SET, KAFKA_NODE_POOL])
    for (const owner of await ownedNow(going, kind)) done = (await conformVolumes(going, owner)) && done;
  for (const topic of await ownedNow(going, KAFKA_TOPIC)) await conform(going, topic);
  await conformSecrets(going);
  return done;
}
