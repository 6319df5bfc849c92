import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from './object.ts';

/** Carries the hash of what was applied. */
export const APPLIED_ANNOTATION = 'userstream.dev/applied';

/** The object with the hash of its content as an annotation: apply this, and `isApplied` can tell it stands. */
export function stamped<T extends KubeObject>(object: T): T {
  const annotations = { ...object.metadata.annotations, [APPLIED_ANNOTATION]: contentHash(object) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/**
 * Whether applying `desired` (stamped) would change nothing on `live`. Two facts suffice: what was last applied is the
 * same (the hash), and `manager` still owns every field of it, since whoever changes a field's value takes its
 * ownership away. Defaults and normalised values (`1000m` is `1`) don't matter.
 */
export function isApplied(desired: KubeObject, live: KubeObject | undefined, manager: string): boolean {
  const stamp = desired.metadata.annotations?.[APPLIED_ANNOTATION];
  if (!live || !stamp || live.metadata.annotations?.[APPLIED_ANNOTATION] !== stamp) return false;
  const entry = live.metadata.managedFields?.find(
    (fields) => fields.manager === manager && fields.operation === 'Apply' && !fields.subresource,
  );
  if (entry?.apiVersion !== desired.apiVersion) return false;
  const { apiVersion: _, kind: __, metadata, ...content } = desired;
  const { name: ___, namespace: ____, ...ownedMetadata } = metadata;
  return owns(entry.fieldsV1, { ...content, metadata: ownedMetadata });
}

type Fields = Record<string, unknown>;

function owns(fields: Fields, value: unknown): boolean {
  // A leaf: a scalar, or a list or map that has one owner as a whole.
  if (Object.keys(fields).length === 0) return true;
  if (Array.isArray(value)) return value.every((item) => ownsItem(fields, item));
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, inner]) => {
    const owned = fields[`f:${key}`] as Fields | undefined;
    return inner === undefined || inner === null || (owned !== undefined && owns(owned, inner));
  });
}

/** Items of a list with several owners are named by their key fields (`k:`) or by their value (`v:`). */
function ownsItem(fields: Fields, item: unknown): boolean {
  if (typeof item !== 'object' || item === null) return `v:${JSON.stringify(item)}` in fields;
  return Object.entries(fields).some(([name, inner]) => {
    if (!name.startsWith('k:')) return false;
    return hasKeys(item as Fields, JSON.parse(name.slice(2))) && owns(inner as Fields, item);
  });
}

/** A key field that the item leaves out was filled in by default. */
function hasKeys(item: Fields, keys: Fields): boolean {
  return Object.entries(keys).every(
    ([key, value]) => item[key] === undefined || isDeepStrictEqual(item[key], value),
  );
}

function contentHash(object: KubeObject): string {
  const { [APPLIED_ANNOTATION]: _, ...annotations } = object.metadata.annotations ?? {};
  const content = { ...object, metadata: { ...object.metadata, annotations } };
  return createHash('sha256').update(JSON.stringify(content, sortKeys)).digest('hex').slice(0, 16);
}

function sortKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
