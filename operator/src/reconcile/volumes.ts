import type { V1PersistentVolumeClaim, V1StatefulSetSpec, V1StorageClass } from '@kubernetes/client-node';
import { quantityValue } from '../api/scalars.ts';
import { isForbidden } from '../kube/errors.ts';
import { POD, VOLUME_CLAIM } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { asKnown } from '../kube/options.ts';
import { type Check, firstFault, notReady, READY, stuck } from '../status/check.ts';
import type { Cluster } from './cluster.ts';

const CLASS = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass' };

/** What is to become of a volume that is wanted otherwise than it is. */
export type Fate = 'fits' | 'grows' | 'resizes' | 'isReplaced' | 'isOfAnotherClass';

/** The size that a claim asks for. */
export const requested = (claim: V1PersistentVolumeClaim) =>
  claim.spec?.resources?.requests?.['storage'] ?? '0';

/** What is to become of a volume; only one that was never bound, and so holds nothing, is ever replaced. */
export function fate(live: V1PersistentVolumeClaim, wanted: V1PersistentVolumeClaim): Fate {
  const [has, wants] = [live.spec?.storageClassName, wanted.spec?.storageClassName];
  const sameClass = wants === undefined || has === wants;
  const missing = quantityValue(requested(wanted)) - quantityValue(requested(live));
  // A claim that lost its volume held data once: nothing is done to it.
  if (live.status?.phase === 'Lost') return 'fits';
  if (live.status?.phase !== 'Bound') return sameClass && missing === 0 ? 'fits' : 'isReplaced';
  if (!sameClass) return 'isOfAnotherClass';
  if (missing > 0) return 'grows';
  const capacity = live.status.capacity?.['storage'];
  const small = capacity !== undefined && quantityValue(capacity) < quantityValue(requested(live));
  return small ? 'resizes' : 'fits';
}

function resizing({ metadata, status }: V1PersistentVolumeClaim, size: string): Check {
  const waitsForPod = status?.conditions?.some(({ type }) => type === 'FileSystemResizePending');
  const how = waitsForPod
    ? 'its file system grows when its pod mounts it again'
    : 'its storage class makes it larger';
  return notReady(
    'VolumeResizing',
    `volume ${metadata?.name}: ${status?.capacity?.['storage']} of ${size}; ${how}`,
  );
}

function cannotGrow(live: V1PersistentVolumeClaim, size: string, why: string): Check {
  const { storageClassName } = live.spec ?? {};
  return stuck(
    'VolumeCannotGrow',
    `volume ${live.metadata?.name} can't grow from ${requested(live)} to ${size}: ${why}; set allowVolumeExpansion in class ${storageClassName} where its driver can do it, set the size back to ${requested(live)}, or make a new pipeline with larger volumes`,
  );
}

/** Whether volumes of a class can grow; undefined where the operator may not look. */
async function canGrow(cluster: Cluster, className: string): Promise<boolean | undefined> {
  try {
    const found = await cluster.get<V1StorageClass>(CLASS, className);
    return found?.allowVolumeExpansion === true;
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

async function grow(cluster: Cluster, live: V1PersistentVolumeClaim, wanted: V1PersistentVolumeClaim) {
  const [size, className] = [requested(wanted), live.spec?.storageClassName ?? ''];
  if ((await canGrow(cluster, className)) === false)
    return cannotGrow(live, size, `its class ${className} doesn't allow it`);
  const { name = '', namespace = '' } = live.metadata ?? {};
  const labels = wanted.metadata?.labels ?? {};
  const object: KubeObject = {
    ...VOLUME_CLAIM,
    metadata: { name, namespace, labels },
    spec: { resources: { requests: { storage: size } } },
  };
  try {
    await cluster.ensure(object);
    return resizing(live, size);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return cannotGrow(live, size, (error as Error).message);
  }
}

async function replace(cluster: Cluster, live: V1PersistentVolumeClaim, pod: string): Promise<Check> {
  const name = live.metadata?.name ?? '';
  await cluster.delete(VOLUME_CLAIM, name, asKnown(live));
  await cluster.delete(POD, pod);
  return notReady(
    'VolumeReplacing',
    `volume ${name}, which was never bound, is made anew as it is wanted now`,
  );
}

/** A volume of a pod: as it is, and as it is wanted. */
export type PodVolume = { pod: string; live: V1PersistentVolumeClaim; wanted: V1PersistentVolumeClaim };

/**
 * The volumes that the first `replicas` pods of a StatefulSet have, each with the template that it is wanted by. Others
 * of its name are none of its pods' and may hold the data of an earlier life.
 */
export async function podVolumes(
  cluster: Cluster,
  component: string,
  set: string,
  { replicas = 1, volumeClaimTemplates = [] }: V1StatefulSetSpec,
): Promise<PodVolume[]> {
  const claims = await cluster.list<V1PersistentVolumeClaim>(VOLUME_CLAIM, component);
  const pods = Array.from({ length: replicas }, (_, ordinal) => `${set}-${ordinal}`);
  const wanted = volumeClaimTemplates.flatMap((template) =>
    pods.map((pod) => ({ pod, name: `${template.metadata?.name}-${pod}`, wanted: template })),
  );
  return wanted.flatMap(({ pod, name, wanted }) => {
    const live = claims.find(({ metadata }) => metadata?.name === name && !metadata.deletionTimestamp);
    return live ? [{ pod, live, wanted }] : [];
  });
}

async function fitVolume(
  cluster: Cluster,
  { pod, live, wanted }: PodVolume,
  mayReplace: boolean,
): Promise<Check> {
  switch (fate(live, wanted)) {
    case 'fits':
      return READY;
    case 'grows':
      return await grow(cluster, live, wanted);
    case 'resizes':
      return resizing(live, requested(live));
    case 'isReplaced':
      return mayReplace
        ? await replace(cluster, live, pod)
        : notReady('VolumeReplacing', `volume ${live.metadata?.name}`);
    case 'isOfAnotherClass':
      return stuck(
        'VolumeClassDiffers',
        `volume ${live.metadata?.name} is of class ${live.spec?.storageClassName}, not ${wanted.spec?.storageClassName}, and may hold data: set className back, or delete the volume if it holds nothing of value`,
      );
  }
}

/**
 * Makes the volumes be as they are wanted, as far as anybody can. A volume's fault holds nothing back: whether the pods
 * can work with it, they tell.
 * @param mayReplace whether one that was never bound comes back as it is wanted
 */
export async function fitVolumes(
  cluster: Cluster,
  volumes: PodVolume[],
  mayReplace: boolean,
): Promise<Check> {
  const checks: Check[] = [];
  for (const volume of volumes) checks.push(await fitVolume(cluster, volume, mayReplace));
  const check = checks.find((check) => !check.ready && check.stuck) ?? firstFault(checks);
  return check.ready ? check : { ...check, holds: false };
}
