import type { V1StatefulSetSpec } from '@kubernetes/client-node';
import type { Pipeline } from '../api/resource.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound, isNotServed } from '../kube/errors.ts';
import { SECRET, STATEFUL_SET, VOLUME_CLAIM } from '../kube/kinds.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import { asKnown } from '../kube/options.ts';
import type { Kind } from '../kube/resources.ts';
import { type Component, componentSelector, objectName, ordinalOf } from '../specs/meta.ts';
import { policyPatch } from '../specs/policy.ts';
import { isObserved, type Observed } from '../status/observed.ts';
import { FIELD_MANAGER, KAFKA_NODE_POOL, KAFKA_TOPIC } from './owned.ts';

/**
 * The pipeline, whether it ever held data, and the way to what stands of it: what decides about data is read from the API
 * server itself.
 */
export type Going = { client: KubeClient; pipeline: Pipeline; provisioned: boolean };

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

/** Whether a claim is that of one of the first `pods` pods of a StatefulSet; another may be of an earlier life. */
function isOneOf(set: string, pods: number, { metadata }: KubeObject): boolean {
  return ordinalOf(set, metadata.name) < pods;
}

/** Whether a claim is that of a pod that the set has, or had before a suspension. */
function isInUse(set: KubeObject, claim: KubeObject): boolean {
  const { replicas = 1 } = set['spec'] as V1StatefulSetSpec;
  return isOneOf(set.metadata.name, Math.max(1, replicas), claim);
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
function isSeen(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined || isObserved(object as Observed);
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

/** The pods whose volumes are the pipeline's, whatever has become of their StatefulSet: of a ring all that have one. */
function podsWithVolumes({ spec }: Pipeline): [Component, pods: number][] {
  const { postgres, spark, cassandra } = spec;
  return [
    ['postgres', postgres.managed ? 1 : 0],
    ['spark', spark.checkpoint.uri ? 0 : 1],
    ['cassandra', cassandra.managed ? Number.POSITIVE_INFINITY : 0],
  ];
}

/** Has the claims go that were left by StatefulSets that are gone, where the pipeline came to put its data there. */
async function conformLeft(going: Going, sets: KubeObject[]): Promise<void> {
  const { client, pipeline, provisioned } = going;
  const { namespace, name, spec } = pipeline;
  if (!provisioned || spec.deletionPolicy === 'Retain') return;
  const names = sets.map(({ metadata }) => metadata.name);
  for (const [component, pods] of podsWithVolumes(pipeline)) {
    const set = objectName(pipeline, component);
    if (names.includes(set)) continue;
    const labelSelector = componentSelector(name, component);
    const { items } = await client.list(VOLUME_CLAIM, { namespace, labelSelector });
    for (const claim of items) if (isOneOf(set, pods, claim)) await conform(going, claim);
  }
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
  const sets = await ownedNow(going, STATEFUL_SET);
  for (const owner of [...sets, ...(await ownedNow(going, KAFKA_NODE_POOL))])
    done = (await conformVolumes(going, owner)) && done;
  await conformLeft(going, sets);
  for (const topic of await ownedNow(going, KAFKA_TOPIC)) await conform(going, topic);
  await conformSecrets(going);
  return done;
}
