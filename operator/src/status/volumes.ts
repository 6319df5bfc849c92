import type { V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { quantityValue } from '../api/scalars.ts';
import { canonicalQuantity, MIB } from '../specs/quantities.ts';
import { type Check, notReady, stuck } from './check.ts';

/** What is to become of a volume that is wanted otherwise than it is. */
export type Fate = 'fits' | 'grows' | 'resizes' | 'asksForLess' | 'isReplaced' | 'isOfAnotherClass';

/** The size that a claim asks for. */
export const requested = ({ spec }: V1PersistentVolumeClaim) => spec?.resources?.requests?.['storage'] ?? '0';

/** The size that a volume has, whatever it was asked to become; until it has come about, the size that it is asked for. */
export const sizeOf = (claim: V1PersistentVolumeClaim) =>
  claim.status?.capacity?.['storage'] ?? requested(claim);

/** Whether a volume is smaller than it is wanted. */
export const isShort = (live: V1PersistentVolumeClaim, wanted: V1PersistentVolumeClaim) =>
  quantityValue(sizeOf(live)) < quantityValue(requested(wanted));

/**
 * What a claim asks for that asks for no more than it must: what is wanted, or else a little more than the volume has, for
 * Kubernetes lets nobody take a request down to that itself.
 */
export function leastRequest(live: V1PersistentVolumeClaim, wanted: V1PersistentVolumeClaim): string {
  if (isShort(live, wanted)) return requested(wanted);
  return canonicalQuantity(`${Math.floor(quantityValue(sizeOf(live)) / MIB) + 1}Mi`);
}

/** Whether a claim was made after that time; within the second nobody can tell. */
const isMadeAfter = ({ metadata }: V1PersistentVolumeClaim, since: Date | undefined) =>
  since !== undefined && new Date(metadata?.creationTimestamp ?? 0) > new Date(since);

/**
 * What is to become of a volume; only one that was never bound, and so holds nothing, is ever replaced.
 * @param since when its StatefulSet was made: a claim that came later is what admission has made of this very wish
 */
export function fate(live: V1PersistentVolumeClaim, wanted: V1PersistentVolumeClaim, since?: Date): Fate {
  const [has, wants] = [live.spec?.storageClassName, wanted.spec?.storageClassName];
  const sameClass = wants === undefined || has === wants;
  const asked = quantityValue(requested(live));
  const missing = quantityValue(requested(wanted)) - asked;
  // A claim that lost its volume held data once: nothing is done to it.
  if (live.status?.phase === 'Lost') return 'fits';
  if (live.status?.phase !== 'Bound')
    return (sameClass && missing === 0) || isMadeAfter(live, since) ? 'fits' : 'isReplaced';
  if (!sameClass) return 'isOfAnotherClass';
  if (missing > 0) return 'grows';
  const short = isShort(live, wanted);
  const isTooMuch = (short || failure(live)) && asked > quantityValue(leastRequest(live, wanted));
  if (isTooMuch) return 'asksForLess';
  return short ? 'resizes' : 'fits';
}

const FAILED = ['ControllerResizeError', 'NodeResizeError'];
const FAILED_FOR_GOOD = ['ControllerResizeInfeasible', 'NodeResizeInfeasible'];

/** Why a volume's driver doesn't make it as large as it is asked to, and whether to ask again is of no use. */
function failure({ status }: V1PersistentVolumeClaim): { why: string; forGood: boolean } | undefined {
  const state = status?.allocatedResourceStatuses?.['storage'] ?? '';
  const error = status?.conditions?.find(({ type, status }) => FAILED.includes(type) && status === 'True');
  const forGood = FAILED_FOR_GOOD.includes(state);
  return error || forGood ? { why: error?.message || state || 'it says no more', forGood } : undefined;
}

/** That a volume becomes as large as `size`. */
export function resizing(claim: V1PersistentVolumeClaim, size: string): Check {
  const waitsForPod = claim.status?.conditions?.some(({ type }) => type === 'FileSystemResizePending');
  const how = waitsForPod
    ? 'its file system grows when its pod mounts it again'
    : 'its storage class makes it larger';
  return notReady('VolumeResizing', `volume ${claim.metadata?.name}: ${sizeOf(claim)} of ${size}; ${how}`);
}

/** How far a volume has come that was asked to become as large as `size`. */
export function resizeCheck(claim: V1PersistentVolumeClaim, size: string): Check {
  const failed = failure(claim);
  if (!failed) return resizing(claim, size);
  const { why, forGood } = failed;
  const say = forGood ? stuck : notReady;
  return say(
    'VolumeResizeFailed',
    `volume ${claim.metadata?.name} stays at ${sizeOf(claim)} of ${size}; its driver says: ${why}; correct that, or set storage.size to what it can do, ${sizeOf(claim)} at the least`,
  );
}

/** That a volume can't become as large as `size`. */
export function cannotGrow(live: V1PersistentVolumeClaim, size: string, why: string): Check {
  const { storageClassName } = live.spec ?? {};
  return stuck(
    'VolumeCannotGrow',
    `volume ${live.metadata?.name} can't grow from ${sizeOf(live)} to ${size}: ${why}; set allowVolumeExpansion in class ${storageClassName} where its driver can do it, set the size back to ${sizeOf(live)}, or make a new pipeline with larger volumes`,
  );
}
