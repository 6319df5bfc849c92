import { createHash } from 'node:crypto';
import type { PipelineKey } from '../api/names.ts';
import { GROUP, KIND, VERSION } from '../api/pipeline.ts';
import type { Pipeline } from '../api/resource.ts';
import type { KubeObject, ObjectMeta, OwnerReference } from '../kube/object.ts';

export type Component =
  | 'postgres'
  | 'cassandra'
  | 'registry'
  | 'kafka'
  | 'provision'
  | 'ingest'
  | 'relay'
  | 'spark'
  | 'audit';

export const CONFIG_HASH = `${GROUP}/config-hash`;

/** On a StatefulSet the hash of what it was made from, as far as nobody can change that in it. */
export const MADE_FROM = `${GROUP}/made-from`;

/** The labels by which a Service or a workload finds its pods. They are immutable there: nothing that changes may be in them. */
export function selectorLabels(pipeline: PipelineKey, component: Component): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'userstream',
    'app.kubernetes.io/instance': pipeline.name,
    'app.kubernetes.io/component': component,
  };
}

/** The labels of every object of a pipeline. */
export function labels(pipeline: PipelineKey, component: Component): Record<string, string> {
  return {
    ...selectorLabels(pipeline, component),
    'app.kubernetes.io/part-of': 'userstream',
    'app.kubernetes.io/managed-by': 'userstream-operator',
  };
}

/** The label selector, as text, of one component's pods; of all the pipeline's pods without a component. */
export function componentSelector(name: string, component?: string): string {
  const parts = ['app.kubernetes.io/name=userstream', `app.kubernetes.io/instance=${name}`];
  return [...parts, ...(component ? [`app.kubernetes.io/component=${component}`] : [])].join(',');
}

/** The name of a component's objects. */
export function objectName(pipeline: PipelineKey, component: Component): string {
  return `${pipeline.name}-${component}`;
}

/** Of which pod of the StatefulSet `set` a claim of that name is, by the ordinal; NaN where it is of none. */
export function ordinalOf(set: string, claim: string | undefined): number {
  return Number(claim?.split(`-${set}-`)[1] ?? Number.NaN);
}

/** A Service's name as every pod of the cluster resolves it, whatever the cluster's domain is. */
export function serviceHost(pipeline: PipelineKey, component: Component): string {
  return `${objectName(pipeline, component)}.${pipeline.namespace}.svc`;
}

export function ownerReference(pipeline: Pipeline): OwnerReference {
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: KIND,
    name: pipeline.name,
    uid: pipeline.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** The metadata of an object that the garbage collector takes away with the pipeline. */
export function metadata(
  pipeline: Pipeline,
  component: Component,
  name = objectName(pipeline, component),
): ObjectMeta {
  return {
    name,
    namespace: pipeline.namespace,
    labels: labels(pipeline, component),
    ownerReferences: [ownerReference(pipeline)],
  };
}

/** The metadata of an object that outlives the pipeline under `deletionPolicy: Retain`. */
export function retainedMetadata(pipeline: Pipeline, component: Component): ObjectMeta {
  const { ownerReferences, ...rest } = metadata(pipeline, component);
  return pipeline.spec.deletionPolicy === 'Delete' && ownerReferences ? { ...rest, ownerReferences } : rest;
}

export function configMap(meta: ObjectMeta, data: Record<string, string>): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta, data };
}

/** A short hash of `value`, the same for equal values whatever the order of their keys. */
export function hash(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('hex')
    .slice(0, 16);
}

/** The hash of a Secret as the API server holds it (or of nothing, where it is missing). */
export function hashSecret(secret: { data?: Record<string, string> } | undefined): string {
  return hash(secret?.data ?? null);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
