import type { V1Deployment, V1Pod, V1StatefulSet } from '@kubernetes/client-node';
import { DEPLOYMENT, POD, STATEFUL_SET } from '../kube/kinds.ts';
import { asKnown } from '../kube/options.ts';
import { type Component, objectName } from '../specs/meta.ts';
import type { Check } from '../status/check.ts';
import { stuckPod, workloadCheck } from '../status/workloads.ts';
import type { Cluster } from './cluster.ts';
import type { Context } from './step.ts';

/**
 * A StatefulSet waits for a pod that isn't ready before it replaces it, for ever where the old template is what is
 * wrong: such a pod is deleted, and comes back from the new one.
 */
async function replaceStuckPod(cluster: Cluster, live: V1StatefulSet, pods: V1Pod[]): Promise<void> {
  const pod = stuckPod(live, pods);
  if (pod) await cluster.delete(POD, pod.metadata?.name ?? '', asKnown(pod));
}

/** How far the StatefulSet of a component has come. */
export async function statefulSetCheck(
  { cluster, pipeline, now }: Context,
  component: Component,
): Promise<Check> {
  const name = objectName(pipeline, component);
  const live = await cluster.get<V1StatefulSet>(STATEFUL_SET, name);
  const pods = await cluster.pods(component);
  if (live) await replaceStuckPod(cluster, live, pods);
  return workloadCheck(live, pods, now());
}

/** How far the Deployment of a component has come. */
export async function deploymentCheck(
  { cluster, pipeline, now }: Context,
  component: Component,
): Promise<Check> {
  const name = objectName(pipeline, component);
  const live = await cluster.get<V1Deployment>(DEPLOYMENT, name);
  return workloadCheck(live, await cluster.pods(component), now());
}
