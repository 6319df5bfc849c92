import { outsideNames } from '../../src/api/names.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { Deed } from './audit.ts';

/** How a run ended: what stands in its namespace, and what was made and removed on the way. */
export type State = { namespace: string; objects: KubeObject[]; deeds: Deed[] };

/** The scalars of an object by their paths. */
export type Flat = Map<string, string>;

const TIME = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;

/** Who wrote which field when: bookkeeping, which says nothing that the fields don't. */
const BOOKKEEPING = 'managedFields';

/** Kinds that Kubernetes keeps to be able to go back, and claims, which outlive the StatefulSet that made them. */
const HISTORY = new Set(['ControllerRevision', 'ReplicaSet', 'PersistentVolumeClaim']);

/** Fields that count changes. */
const COUNTERS = new Set(['generation', 'observedGeneration', 'deployment.kubernetes.io/revision']);

/** What stands, without the traces of how it came to be so. */
export function withoutHistory({ namespace, objects }: State): State {
  const json = JSON.stringify(
    objects.filter(({ kind }) => !HISTORY.has(kind)),
    (key, value) => (COUNTERS.has(key) ? undefined : value),
  );
  return { namespace, objects: JSON.parse(json), deeds: [] };
}

/** Replaces what must differ between two namespaces by what it stands for. */
export function translator({ namespace, objects }: State, pipeline: string): (text: string) => string {
  const outside = Object.entries(outsideNames({ namespace, name: pipeline }));
  const names = outside.map(([name, value]): [string, string] => [value, `<${name}>`]);
  const uids = objects.map(({ kind, metadata }): [string, string] => [
    metadata.uid ?? '',
    `<uid of ${kind}>`,
  ]);
  const pairs = [...names, ...uids, [namespace, '<namespace>'] as [string, string]];
  return (text) =>
    TIME.test(text) ? '<time>' : pairs.reduce((done, [value, name]) => done.replaceAll(value, name), text);
}

/** All scalars of a value, their texts translated. */
export function flatten(value: unknown, translate: (text: string) => string): Flat {
  const flat: Flat = new Map();
  const walk = (inner: unknown, path: string) => {
    if (typeof inner !== 'object' || inner === null) flat.set(path, translate(String(inner)));
    else for (const [key, child] of children(inner)) walk(child, `${path}/${translate(key)}`);
  };
  walk(value, '');
  return flat;
}

/** Conditions are told apart by their type, for their order means nothing; the items of other lists by their place. */
function children(value: object): [string, unknown][] {
  if (!Array.isArray(value)) return Object.entries(value).filter(([key]) => key !== BOOKKEEPING);
  return value.map((item, index) => [item?.type ?? String(index), item]);
}
