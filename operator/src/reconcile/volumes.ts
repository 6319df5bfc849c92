import type {
  V1PersistentVolumeClaim,
  V1StatefulSet,
  V1StatefulSetSpec,
  V1StorageClass,
} from '@kubernetes/client-node';
import { isForbidden, isInvalid } from '../kube/errors.ts';
import { POD, VOLUME_CLAIM } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { asKnown } from '../kube/options.ts';
import { type Check, notReady, READY, stuck, worst } from '../status/check.ts';
import {
  cannotGrow,
  fate,
  isShort,
  leastRequest,
  requested,
  resizeCheck,
  resizing,
} from '../status/volumes.ts';
import type { Cluster } from './cluster.ts';

const CLASS = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass' };

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

/** Has a claim ask for so much. */
async function ask(
  cluster: Cluster,
  { metadata }: V1PersistentVolumeClaim,
  wanted: V1PersistentVolumeClaim,
  size: string,
): Promise<void> {
  const { name = '', namespace = '' } = metadata ?? {};
  const labels = wanted.metadata?.labels ?? {};
  const object: KubeObject = {
    ...VOLUME_CLAIM,
    metadata: { name, namespace, labels },
    spec: { resources: { requests: { storage: size } } },
  };
  await cluster.ensure(object);
}

async function grow(cluster: Cluster, live: V1PersistentVolumeClaim, wanted: V1PersistentVolumeClaim) {
  const [size, className] = [requested(wanted), live.spec?.storageClassName ?? ''];
  if ((await canGrow(cluster, className)) === false)
    return cannotGrow(live, size, `its class ${className} doesn't allow it`);
  try {
    await ask(cluster, live, wanted, size);
    return resizing(live, size);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return cannotGrow(live, size, (error as Error).message);
  }
}

/** Takes back what a volume was asked for and is wanted no more, as far as the API server lets anybody: before 1.32 it doesn't. */
async function askForLess(
  cluster: Cluster,
  live: V1PersistentVolumeClaim,
  wanted: V1PersistentVolumeClaim,
): Promise<Check> {
  const size = requested(wanted);
  try {
    await ask(cluster, live, wanted, leastRequest(live, wanted));
    return isShort(live, wanted) ? resizing(live, size) : READY;
  } catch (error) {
    if (!isInvalid(error)) throw error;
    return isShort(live, wanted) ? resizeCheck(live, size) : READY;
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

/** A volume of a pod: as it is, and as it is wanted; and since when it was wanted like that, where that is known. */
export type PodVolume = {
  pod: string;
  live: V1PersistentVolumeClaim;
  wanted: V1PersistentVolumeClaim;
  since?: Date | undefined;
};

/**
 * The volumes that the first `replicas` pods of a StatefulSet have, each with the template that it is wanted by. Others
 * of its name are none of its pods' and may hold the data of an earlier life.
 * @param live the StatefulSet that makes them as they are wanted, where it stands
 */
export async function podVolumes(
  cluster: Cluster,
  component: string,
  { metadata: { name: set }, spec }: KubeObject,
  live: V1StatefulSet | undefined,
): Promise<PodVolume[]> {
  const { replicas = 1, volumeClaimTemplates = [] } = spec as V1StatefulSetSpec;
  const since = live?.metadata?.creationTimestamp;
  const claims = await cluster.list<V1PersistentVolumeClaim>(VOLUME_CLAIM, component);
  const pods = Array.from({ length: replicas }, (_, ordinal) => `${set}-${ordinal}`);
  const wanted = volumeClaimTemplates.flatMap((template) =>
    pods.map((pod) => ({ pod, name: `${template.metadata?.name}-${pod}`, wanted: template })),
  );
  return wanted.flatMap(({ pod, name, wanted }) => {
    const live = claims.find(({ metadata }) => metadata?.name === name && !metadata.deletionTimestamp);
    return live ? [{ pod, live, wanted, since }] : [];
  });
}

async function fitVolume(
  cluster: Cluster,
  { pod, live, wanted, since }: PodVolume,
  mayReplace: boolean,
): Promise<Check> {
  switch (fate(live, wanted, since)) {
    case 'fits':
      return READY;
    case 'grows':
      return await grow(cluster, live, wanted);
    case 'resizes':
      return resizeCheck(live, requested(wanted));
    case 'asksForLess':
      return await askForLess(cluster, live, wanted);
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
  const check = worst(checks);
  return check.ready ? check : { ...check, holds: false };
}
