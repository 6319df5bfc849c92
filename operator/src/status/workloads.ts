import type { V1Deployment, V1Job, V1Pod, V1StatefulSet } from '@kubernetes/client-node';
import { type Check, notReady, READY, stuck } from './check.ts';
import { podFault } from './pods.ts';

type Workload = V1StatefulSet | V1Deployment;

function observed(workload: Workload): boolean {
  return (workload.status?.observedGeneration ?? 0) >= (workload.metadata?.generation ?? 0);
}

function counts(workload: Workload) {
  const wanted = workload.spec?.replicas ?? 1;
  return {
    wanted,
    ready: workload.status?.readyReplicas ?? 0,
    updated: workload.status?.updatedReplicas ?? 0,
  };
}

/** Whether every pod of a StatefulSet or Deployment runs its newest template and is ready; else why not. */
export function workloadCheck(workload: Workload | undefined, pods: V1Pod[]): Check {
  if (!workload) return notReady('Creating', 'its objects are being created');
  const { wanted, ready, updated } = counts(workload);
  const done = observed(workload) && ready >= wanted && updated >= wanted;
  if (done) return READY;
  return (
    podFault(pods) ??
    notReady(
      updated < wanted && ready > 0 ? 'Rolling' : 'Starting',
      `${workload.metadata?.name}: ${ready} of ${wanted} pods ready, ${updated} up to date`,
    )
  );
}

function isReady(pod: V1Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** The pods of a StatefulSet that were made from an older template and aren't ready. */
export function stuckPods(live: V1StatefulSet, pods: V1Pod[]): V1Pod[] {
  const revision = live.status?.updateRevision;
  if (!revision || !observed(live)) return [];
  return pods.filter((pod) => {
    const owned = pod.metadata?.ownerReferences?.some(({ uid }) => uid === live.metadata?.uid);
    const old = pod.metadata?.labels?.['controller-revision-hash'] !== revision;
    return owned && old && !isReady(pod) && !pod.metadata?.deletionTimestamp;
  });
}

function jobCondition(job: V1Job, type: string) {
  return job.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
}

/** Whether a Job has done its work; a Job that failed for good is stuck. */
export function jobCheck(job: V1Job | undefined, pods: V1Pod[]): Check {
  if (!job) return notReady('Creating', 'its Job is being created');
  if (jobCondition(job, 'Complete')) return READY;
  const failed = jobCondition(job, 'Failed');
  const name = job.metadata?.name;
  if (failed) {
    return stuck(
      'JobFailed',
      `Job ${name}: ${failed.message}; see its log, correct the cause, then delete the Job`,
    );
  }
  return podFault(pods) ?? notReady('Provisioning', `Job ${name} is running`);
}
