import type { V1Deployment, V1StatefulSet } from '@kubernetes/client-node';
import { type Component, objectName } from '../specs/meta.ts';
import type { Check } from '../status/check.ts';
import { workloadCheck } from '../status/workloads.ts';
import type { Context } from './step.ts';

/** How far the StatefulSet of a component has come. */
export async function statefulSetCheck({ cluster, pipeline }: Context, component: Component): Promise<Check> {
  const name = objectName(pipeline, component);
  const live = await cluster.get<V1StatefulSet>({ apiVersion: 'apps/v1', kind: 'StatefulSet' }, name);
  return workloadCheck(live, await cluster.pods(component));
}

/** How far the Deployment of a component has come. */
export async function deploymentCheck({ cluster, pipeline }: Context, component: Component): Promise<Check> {
  const name = objectName(pipeline, component);
  const live = await cluster.get<V1Deployment>({ apiVersion: 'apps/v1', kind: 'Deployment' }, name);
  return workloadCheck(live, await cluster.pods(component));
}
