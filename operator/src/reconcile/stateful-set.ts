import { isDeepStrictEqual } from 'node:util';
import type { V1PersistentVolumeClaim, V1StatefulSet, V1StatefulSetSpec } from '@kubernetes/client-node';
import { quantityValue } from '../api/scalars.ts';
import { STATEFUL_SET } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { type Component, hash, MADE_FROM } from '../specs/meta.ts';
import { type Check, READY } from '../status/check.ts';
import { isObserved } from '../status/observed.ts';
import type { Context } from './step.ts';
import { fitVolumes, podVolumes } from './volumes.ts';

function claimShape({ metadata, spec }: V1PersistentVolumeClaim) {
  return {
    name: metadata?.name,
    labels: metadata?.labels,
    accessModes: spec?.accessModes,
    className: spec?.storageClassName,
    size: quantityValue(spec?.resources?.requests?.['storage'] ?? '0'),
  };
}

/** What the API server lets nobody change in a StatefulSet, without what it fills in by itself. */
function fixedParts({
  serviceName,
  selector,
  podManagementPolicy,
  volumeClaimTemplates = [],
}: V1StatefulSetSpec) {
  return {
    serviceName,
    selector: selector.matchLabels,
    podManagementPolicy: podManagementPolicy ?? 'OrderedReady',
    claims: volumeClaimTemplates.map(claimShape),
  };
}

const specOf = (object: KubeObject) => object['spec'] as V1StatefulSetSpec;

/** The StatefulSet with a note of what it is made from, for admission may make something else of that. */
function noted(desired: KubeObject): KubeObject {
  const annotations = { ...desired.metadata.annotations, [MADE_FROM]: hash(fixedParts(specOf(desired))) };
  return { ...desired, metadata: { ...desired.metadata, annotations } };
}

type Likeness = 'same' | 'altered' | 'another';

/**
 * How the StatefulSet that stands is to the one that is wanted: `another` can only become so by being made anew, `altered`
 * was made from the very same, and would be altered again.
 */
function likeness(live: V1StatefulSet | undefined, desired: KubeObject): Likeness {
  if (!live?.spec || isDeepStrictEqual(fixedParts(live.spec), fixedParts(specOf(desired)))) return 'same';
  const [from, wanted] = [live, desired].map(({ metadata }) => metadata?.annotations?.[MADE_FROM]);
  return from === wanted ? 'altered' : 'another';
}

/** The StatefulSet as it is wanted, but for the parts that can't be changed. */
function keepingFixed(desired: KubeObject, live: V1StatefulSet): KubeObject {
  const { serviceName, selector, podManagementPolicy, volumeClaimTemplates } = live.spec ?? {};
  const { [MADE_FROM]: _, ...others } = desired.metadata.annotations ?? {};
  const from = live.metadata?.annotations?.[MADE_FROM];
  return {
    ...desired,
    metadata: { ...desired.metadata, annotations: from ? { ...others, [MADE_FROM]: from } : others },
    spec: { ...specOf(desired), serviceName, selector, podManagementPolicy, volumeClaimTemplates },
  };
}

/** The StatefulSet as one whose claims outlive it. */
function keepingClaims(desired: KubeObject): KubeObject {
  const policy = specOf(desired).persistentVolumeClaimRetentionPolicy;
  return {
    ...desired,
    spec: { ...specOf(desired), persistentVolumeClaimRetentionPolicy: { ...policy, whenDeleted: 'Retain' } },
  };
}

/**
 * Whether a StatefulSet may be made anew: its controller knows that its claims are to outlive it. From an older sight of it
 * the controller could have it own them again after they were freed, and they would go as what lost its owner.
 */
function mayGo(live: V1StatefulSet): boolean {
  const { volumeClaimTemplates = [], persistentVolumeClaimRetentionPolicy: policy } = live.spec ?? {};
  return volumeClaimTemplates.length === 0 || (policy?.whenDeleted !== 'Delete' && isObserved(live));
}

/** Takes the StatefulSet away and leaves its pods running: the next one adopts them by their labels. */
async function release({ cluster }: Context, { metadata }: V1StatefulSet): Promise<void> {
  if (metadata?.deletionTimestamp) return;
  await cluster.deleteAlone(STATEFUL_SET, metadata?.name ?? '', metadata?.uid ?? '');
}

/** What to apply where `live` stands, which is taken away first where it has to be made anew and may go. */
async function inPlaceOf(
  context: Context,
  live: V1StatefulSet | undefined,
  desired: KubeObject,
  is: Likeness,
): Promise<KubeObject> {
  if (!live || is === 'same') return desired;
  const kept = keepingFixed(desired, live);
  if (is === 'altered') return kept;
  if (!mayGo(live)) return keepingClaims(kept);
  await release(context, live);
  return desired;
}

/**
 * Makes the objects of a component with a StatefulSet be as given, its volumes included: they grow where their class
 * allows, and a StatefulSet whose template of them differs is made anew around its running pods.
 * @returns what hinders the volumes, else READY
 * @throws {TerminatingError} while the StatefulSet that is to be replaced is still there
 */
export async function ensureWithVolumes(
  context: Context,
  component: Component,
  objects: KubeObject[],
): Promise<Check> {
  const { cluster } = context;
  const wanted = objects.find(({ kind }) => kind === 'StatefulSet');
  if (!wanted) {
    await cluster.ensureOnly(component, objects);
    return READY;
  }
  const desired = noted(wanted);
  const live = await cluster.get<V1StatefulSet>(STATEFUL_SET, desired.metadata.name);
  const is = likeness(live, desired);
  const volumes = await podVolumes(cluster, component, desired, is === 'another' ? undefined : live);
  const check = await fitVolumes(cluster, volumes, is !== 'another');
  const allowed = cluster.mode === 'write' && (check.ready || !check.stuck);
  const set = await inPlaceOf(context, live, desired, is === 'another' && !allowed ? 'altered' : is);
  await cluster.ensureOnly(
    component,
    objects.map((object) => (object === wanted ? set : object)),
  );
  return check;
}
