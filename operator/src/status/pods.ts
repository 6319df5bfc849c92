import type { V1ContainerStateTerminated, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { type Check, notReady, stuck } from './check.ts';

/** Why a container waits, in the kubelet's own reasons, and what a person does about it. */
const ADVICE: Record<string, string> = {
  ErrImagePull: 'check the image name and the registry',
  ImagePullBackOff: 'check the image name and the registry',
  InvalidImageName: 'correct the image name',
  ErrImageNeverPull: 'load the image into the node',
  CreateContainerConfigError: 'check the Secrets and ConfigMaps that it names',
  CreateContainerError: 'see the events of the pod',
};

/** Why a container ended, in its own last words where it left any. */
function endOf(terminated: V1ContainerStateTerminated | undefined): string {
  return terminated?.message?.trim() || `it ended with exit code ${terminated?.exitCode ?? 'unknown'}`;
}

function containerFault(pod: string, status: V1ContainerStatus): Check | undefined {
  const waiting = status.state?.waiting;
  const advice = ADVICE[waiting?.reason ?? ''];
  if (waiting?.reason && advice) {
    return stuck(waiting.reason, `pod ${pod}: ${waiting.message ?? waiting.reason}; ${advice}`);
  }
  if (waiting?.reason !== 'CrashLoopBackOff') return undefined;
  const why = endOf(status.lastState?.terminated);
  return notReady('CrashLoopBackOff', `pod ${pod}: ${why}; see kubectl logs ${pod} --previous`);
}

function schedulingFault(pod: V1Pod): Check | undefined {
  const scheduled = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return undefined;
  const why = scheduled.message ?? 'no node fits';
  const message = `pod ${pod.metadata?.name}: ${why}; lower its requests, or another's, or add a node`;
  // What comes after may be what takes the room.
  return { ...notReady('Unschedulable', message), holds: false };
}

/** For so long past its grace period a pod may stand: a kubelet that answers needs seconds to let it go. */
const LATE_MS = 60_000;

/**
 * Whether nobody speaks for a pod any more. Of a node that doesn't answer, Kubernetes' node lifecycle controller sets Ready
 * to False and changes nothing else, where a kubelet gives a reason; five minutes later it deletes the pod, in vain.
 */
function isForsaken({ metadata, status }: V1Pod, now: Date): boolean {
  const due = metadata?.deletionTimestamp;
  if (due) return now.getTime() - new Date(due).getTime() > LATE_MS;
  const told = (type: string) => status?.conditions?.find((condition) => condition.type === type);
  const ready = told('Ready');
  return ready?.status === 'False' && !ready.reason && told('ContainersReady')?.status === 'True';
}

/** A pod whose node doesn't answer: where it is the only one that may bear its name, nothing takes its place by itself. */
export function lostPod(pods: V1Pod[], now: Date): Check | undefined {
  const pod = pods.find((each) => !hasEnded(each) && isForsaken(each, now));
  if (!pod) return undefined;
  const node = pod.spec?.nodeName ?? 'unknown';
  const what = `pod ${pod.metadata?.name}: its node ${node} doesn't answer, or can't end it`;
  const taint = `kubectl taint node ${node} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute`;
  return notReady('NodeLost', `${what}; bring the node back, or, once it is surely switched off, ${taint}`);
}

/** What keeps a pod from running, where the API server tells it; undefined while all goes its way. */
export function podFault(pods: V1Pod[], now: Date): Check | undefined {
  for (const pod of pods) {
    const containers = [
      ...(pod.status?.initContainerStatuses ?? []),
      ...(pod.status?.containerStatuses ?? []),
    ];
    const name = pod.metadata?.name ?? '';
    const faults = [schedulingFault(pod), ...containers.map((status) => containerFault(name, status))];
    const fault = faults.find((found) => found !== undefined);
    if (fault) return fault;
  }
  return lostPod(pods, now);
}

/** Whether nothing of a pod runs any more. One that was evicted stays as an object, for nobody to delete. */
export function hasEnded({ status }: V1Pod): boolean {
  return ['Failed', 'Succeeded'].includes(status?.phase ?? '');
}

/** Whether it ended because something took its place or its node away. */
function wasInterrupted({ status }: V1Pod): boolean {
  return (
    status?.conditions?.some(({ type, status }) => type === 'DisruptionTarget' && status === 'True') ?? false
  );
}

const madeAt = ({ metadata }: V1Pod) => new Date(metadata?.creationTimestamp ?? 0).getTime();

/** Why the newest of a Job's pods that failed did, which stays for its log; undefined where none failed. */
export function podFailure(pods: V1Pod[]): string | undefined {
  const failed = pods.filter((pod) => pod.status?.phase === 'Failed' && !wasInterrupted(pod));
  const [newest] = failed.sort((a, b) => madeAt(b) - madeAt(a));
  if (!newest) return undefined;
  const ended = newest.status?.containerStatuses?.map(({ state }) => state?.terminated).find((each) => each);
  const name = newest.metadata?.name;
  return `pod ${name}: ${endOf(ended)}; see kubectl logs ${name}`;
}
