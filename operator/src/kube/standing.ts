import { type Applied, appliedOn } from './applied.ts';
import type { KubeObject } from './object.ts';
import type { Kind } from './resources.ts';

/** The little that is kept of an object in memory. */
export type Standing = Kind & {
  metadata: { namespace: string; name: string; uid: string; resourceVersion: string };
  /** The values of the standard labels; empty where there are none. */
  instance: string;
  component: string;
  /** The uid of the owner that controls it. */
  controller: string | undefined;
  /** Whether the manager made it. */
  ours: boolean;
  /** The finalizers that hold it, while it is being deleted. */
  terminating: string[] | undefined;
  applied: Applied | undefined;
  /** What else is kept, as JSON: a tenth of what it takes as objects. */
  body: string | undefined;
};

/** What of an object is worth keeping beyond its metadata's essence. */
export type Keep = (object: KubeObject) => object;

const LABEL = 'app.kubernetes.io';

/** What is kept of an object for which `manager` may answer. */
export function standing(object: KubeObject, manager: string, keep?: Keep): Standing {
  const { apiVersion, kind, metadata } = object;
  const { namespace = '', name, uid = '', resourceVersion = '', labels = {}, finalizers = [] } = metadata;
  const applies = metadata.managedFields?.some(
    (entry) => entry.manager === manager && entry.operation === 'Apply' && !entry.subresource,
  );
  return {
    apiVersion,
    kind,
    metadata: { namespace, name, uid, resourceVersion },
    instance: labels[`${LABEL}/instance`] ?? '',
    component: labels[`${LABEL}/component`] ?? '',
    controller: metadata.ownerReferences?.find(({ controller }) => controller)?.uid,
    // Either may be edited away.
    ours: applies === true || labels[`${LABEL}/managed-by`] === manager,
    terminating: metadata.deletionTimestamp ? finalizers : undefined,
    applied: appliedOn(object, manager),
    body: keep && JSON.stringify(keep(object)),
  };
}

/** The object, as far as it was kept. */
export function asObject({ apiVersion, kind, metadata, body }: Standing): KubeObject {
  return body === undefined ? { apiVersion, kind, metadata } : JSON.parse(body);
}
