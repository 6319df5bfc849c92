import { isDeepStrictEqual } from 'node:util';
import type { V1PersistentVolumeClaim, V1StatefulSet, V1StatefulSetSpec } from '@kubernetes/client-node';
import { quantityValue } from '../api/scalars.ts';
import { STATEFUL_SET } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Component } from '../specs/meta.ts';
import { type Check, READY } from '../status/check.ts';
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

/** Whether the StatefulSet can only become as it is wanted by being made anew. */
function mustBeReplaced(live: V1StatefulSet | undefined, desired: KubeObject): boolean {
  return !!live?.spec && !isDeepStrictEqual(fixedParts(live.spec), fixedParts(specOf(desired)));
}

/** The StatefulSet as it is wanted, but for the parts that can't be changed. */
function keepingFixed(desired: KubeObject, live: V1StatefulSet | undefined): KubeObject {
  const { serviceName, selector, podManagementPolicy, volumeClaimTemplates } = live?.spec ?? {};
  return {
    ...desired,
    spec: { ...specOf(desired), serviceName, selector, podManagementPolicy, volumeClaimTemplates },
  };
}

/** Takes the StatefulSet away and leaves its pods running: the next one adopts them by their labels. */
async function release({ cluster }: Context, { metadata }: V1StatefulSet): Promise<void> {
  if (metadata?.deletionTimestamp) return;
  await cluster.deleteAlone(STATEFUL_SET, metadata?.name ?? '', metadata?.uid ?? '');
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
  const desired = objects.find(({ kind }) => kind === 'StatefulSet');
  if (!desired) {
    await cluster.ensureOnly(component, objects);
    return READY;
  }
  const live = await cluster.get<V1StatefulSet>(STATEFUL_SET, desired.metadata.name);
  const replaced = mustBeReplaced(live, desired);
  const volumes = await podVolumes(cluster, component, desired.metadata.name, specOf(desired));
  const check = await fitVolumes(cluster, volumes, !replaced);
  const allowed = cluster.mode === 'write' && (check.ready || !check.stuck);
  if (live && replaced && allowed) await release(context, live);
  const set = replaced && !allowed ? keepingFixed(desired, live) : desired;
  await cluster.ensureOnly(
    component,
    objects.map((object) => (object === desired ? set : object)),
  );
  return check;
}
