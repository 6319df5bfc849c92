import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from './object.ts';

/** Carries the hash of what was applied, and after it that of the pod template in it, where there is one. */
export const APPLIED_ANNOTATION = 'userstream.dev/applied';

/** The object with the hash of its content as an annotation: apply this, and `isApplied` can tell it stands. */
export function stamped<T extends KubeObject>(object: T): T {
  const annotations = { ...object.metadata.annotations, [APPLIED_ANNOTATION]: stampOf(object) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** The last apply of one manager on an object: what it wanted, and what it still owns. */
export type Applied = {
  stamp: string;
  /** The manager's entry of managedFields as text; its hash, once it was seen to be all that the stamp's content asks for. */
  owned: string;
  proved: boolean;
};

/** What `object` tells of the last apply of `manager`; undefined where there was none. */
export function appliedOn(object: KubeObject, manager: string): Applied | undefined {
  const stamp = object.metadata.annotations?.[APPLIED_ANNOTATION];
  const entry = object.metadata.managedFields?.find(
    (fields) => fields.manager === manager && fields.operation === 'Apply' && !fields.subresource,
  );
  if (!stamp || !entry) return undefined;
  const { apiVersion, fieldsV1 } = entry;
  return { stamp, owned: JSON.stringify({ apiVersion, fieldsV1 }), proved: false };
}

/** What is known of the newer of two states of an object: what was proved of the older one still is where nothing differs. */
export function carriedOver(older: Applied | undefined, newer: Applied | undefined): Applied | undefined {
  const same =
    older?.proved && newer && older.stamp === newer.stamp && older.owned === shortHash(newer.owned);
  return same ? older : newer;
}

/**
 * Whether applying `desired` (stamped) would change nothing. Two facts suffice: what was last applied is the same (the
 * stamp), and its manager still owns every field of it, since whoever changes a field's value takes its ownership away.
 * Defaults and normalised values (`1000m` is `1`) don't matter. The answer yes is remembered in `applied`.
 */
export function isApplied(desired: KubeObject, applied: Applied | undefined): boolean {
  if (!applied || desired.metadata.annotations?.[APPLIED_ANNOTATION] !== applied.stamp) return false;
  if (applied.proved) return true;
  if (!ownsAll(JSON.parse(applied.owned), desired)) return false;
  prove(applied);
  return true;
}

const templateStamp = (stamp = '') => stamp.split('-')[1];

/** Whether applying `desired` (stamped) would leave the pod template as it is, by the same two facts. */
export function keepsTemplate(desired: KubeObject, applied: Applied | undefined): boolean {
  const template = templateStamp(desired.metadata.annotations?.[APPLIED_ANNOTATION]);
  if (!applied || !template || template !== templateStamp(applied.stamp)) return false;
  if (applied.proved) return true;
  const { apiVersion, kind, metadata } = desired;
  const alone = {
    apiVersion,
    kind,
    metadata: { name: metadata.name },
    spec: { template: templateOf(desired) },
  };
  return ownsAll(JSON.parse(applied.owned), alone);
}

/** Remembers that all that was asked for is owned, as the answer to an apply shows. */
export function prove(applied: Applied): void {
  if (!applied.proved) Object.assign(applied, { owned: shortHash(applied.owned), proved: true });
}

type Entry = { apiVersion: string; fieldsV1: Fields };

function ownsAll({ apiVersion: ownedVersion, fieldsV1 }: Entry, desired: KubeObject): boolean {
  const { apiVersion, kind: _, metadata, ...content } = desired;
  const { name: __, namespace: ___, ...ownedMetadata } = metadata;
  return apiVersion === ownedVersion && owns(fieldsV1, { ...content, metadata: ownedMetadata });
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

function templateOf(object: KubeObject): unknown {
  return (object['spec'] as { template?: unknown } | undefined)?.template;
}

function stampOf(object: KubeObject): string {
  const template = templateOf(object);
  const stamp = contentHash(object);
  return template === undefined ? stamp : `${stamp}-${shortHash(JSON.stringify(template))}`;
}

/** Who builds an object puts its fields in the same order each time: to sort them would only take time. */
function contentHash(object: KubeObject): string {
  const { [APPLIED_ANNOTATION]: _, ...annotations } = object.metadata.annotations ?? {};
  const content = { ...object, metadata: { ...object.metadata, annotations } };
  return shortHash(JSON.stringify(content));
}

const shortHash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16);
