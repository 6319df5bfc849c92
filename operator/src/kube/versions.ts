/**
 * Less than, equal to or greater than 0 as resource version `a` is older than, the same as or newer than `b`. Versions of
 * one resource type are ordered as whole numbers of any length (kubernetes.io, API concepts, "Resource versions"; promised
 * since Kubernetes 1.35 by KEP-5504, and so in every API server on etcd before).
 */
export function compareVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : Number(a > b);
}
