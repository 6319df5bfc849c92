import type { V1Deployment, V1Job, V1Pod, V1StatefulSet } from '@kubernetes/client-node';
import { type Check, notReady, READY, stuck } from './check.ts';
import { isObserved } from './observed.ts';
import { podFailure, podFault } from './pods.ts';

type Workload = V1StatefulSet | V1Deployment;

function counts({ spec, status }: Workload) {
  return {
    wanted: spec?.replicas ?? 1,
    present: status?.replicas ?? 0,
    ready: status?.readyReplicas ?? 0,
    updated: status?.updatedReplicas ?? 0,
  };
}

/** Whether every pod of a StatefulSet or Deployment runs its newest template and is ready. */
export function isSettled(workload: Workload): boolean {
  const { wanted, present, ready, updated } = counts(workload);
  return isObserved(workload) && ready >= wanted && updated >= wanted && present <= wanted;
}

/** Where to look for why a workload isn't ready, if that lasts. */
function whereToLook(workload: Workload, pods: V1Pod[]): string {
  const { wanted, present, ready } = counts(workload);
  if (ready >= wanted) return '';
  const { kind = 'workload', metadata } = workload;
  const pod = present < wanted ? undefined : pods.find((each) => !isReady(each))?.metadata?.name;
  const what = pod ? `pod ${pod}, and kubectl logs ${pod}` : `${kind.toLowerCase()} ${metadata?.name}`;
  return `; where that lasts, see kubectl describe ${what}`;
}

/** How a StatefulSet or Deployment is: ready where it is settled; else why not. */
export function workloadCheck(workload: Workload | undefined, pods: V1Pod[], now: Date): Check {
  if (!workload) return notReady('Creating', 'its objects are being created');
  if (isSettled(workload)) return READY;
  const { wanted, present, ready, updated } = counts(workload);
  const text = `${workload.metadata?.name}: ${ready} of ${wanted} pods ready, ${updated} up to date, ${present} there`;
  return (
    podFault(pods, now) ??
    createFault(workload) ??
    notReady(movement(workload), text + whereToLook(workload, pods))
  );
}

/** Why no pods can be made, as a Deployment's controller tells it: a quota, a limit range, an admission webhook. */
function createFault({ status, metadata }: Workload): Check | undefined {
  const failure = status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  if (failure?.status !== 'True') return undefined;
  const advice = 'raise the quota or limit that it names, or lower what the pods ask for';
  return notReady(failure.reason ?? 'FailedCreate', `${metadata?.name}: ${failure.message}; ${advice}`);
}

/** What a workload that isn't done is doing. */
function movement(workload: Workload): string {
  const { wanted, present, ready, updated } = counts(workload);
  if (ready > 0 && (!isObserved(workload) || updated < wanted || updated < present)) return 'Rolling';
  return isObserved(workload) && present > wanted ? 'Stopping' : 'Starting';
}

export function isReady(pod: V1Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** The place of a pod in its StatefulSet. */
export const ordinalOf = (pod: V1Pod) => Number(/\d+$/.exec(pod.metadata?.name ?? '')?.[0]);

/**
 * The pod of a StatefulSet for which its controller waits, where that may be in vain: the lowest that isn't ready, if it was
 * made from an older template. None while another pod is on its way, which ends or is of the newest template: they are
 * replaced one at a time, each when the last one works. To replace it takes nothing away from what works.
 */
export function stuckPod(live: V1StatefulSet, pods: V1Pod[]): V1Pod | undefined {
  const revision = live.status?.updateRevision;
  if (!revision || !isObserved(live)) return undefined;
  const owned = pods
    .filter(({ metadata }) => metadata?.ownerReferences?.some(({ uid }) => uid === live.metadata?.uid))
    .sort((a, b) => ordinalOf(a) - ordinalOf(b));
  const unready = owned.filter((pod) => !isReady(pod) || pod.metadata?.deletionTimestamp);
  const isOld = ({ metadata }: V1Pod) =>
    !metadata?.deletionTimestamp && metadata?.labels?.['controller-revision-hash'] !== revision;
  const { present, ready } = counts(live);
  const agreed = unready.length === present - ready;
  const [lowest] = unready;
  // A gap below it is filled first.
  const isNext = lowest && owned[ordinalOf(lowest)] === lowest;
  return agreed && isNext && unready.every(isOld) ? lowest : undefined;
}

function jobCondition(job: V1Job, type: string) {
  return job.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
}

/** Whether a Job has done its work, of whose `pods` only its own count; a Job that failed for good is stuck. */
export function jobCheck(job: V1Job | undefined, pods: V1Pod[], now: Date): Check {
  if (!job) return notReady('Creating', 'its Job is being created');
  if (jobCondition(job, 'Complete')) return READY;
  const name = job.metadata?.name;
  const own = pods.filter(({ metadata }) => metadata?.labels?.['batch.kubernetes.io/job-name'] === name);
  const failed = jobCondition(job, 'Failed');
  const failure = podFailure(own);
  if (failed) {
    const why = `${failed.message}; ${failure ?? 'see its log'}`;
    return stuck('JobFailed', `Job ${name}: ${why}, correct the cause, then delete the Job`);
  }
  const how = failure
    ? `Job ${name} tries again after ${failure}`
    : `Job ${name} is running; where that lasts, see kubectl describe job ${name}`;
  return podFault(own, now) ?? notReady('Provisioning', how);
}
