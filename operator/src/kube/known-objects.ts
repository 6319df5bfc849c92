import { keyOf } from './object.ts';
import { compareVersions } from './versions.ts';

/** What must be known of an object to tell it from others and from itself at another time. */
export type Identified = {
  metadata: { namespace?: string; name: string; uid?: string; resourceVersion?: string };
};

/**
 * One difference in what is known; `object` is the last one known of a deleted key, `before` what was known of the same
 * object.
 */
export type Change<T> = { type: 'set' | 'deleted'; key: string; object: T; before?: T };

const versionOf = ({ metadata }: Identified) => metadata.resourceVersion ?? '';

/** The newest that is known of each object of a kind, from whatever source: nothing makes it go back in time. */
export class KnownObjects<T extends Identified> {
  readonly #objects = new Map<string, T>();
  readonly #onChange: (change: Change<T>) => void;

  constructor(onChange: (change: Change<T>) => void) {
    this.#onChange = onChange;
  }

  /** What is known, by `namespace/name`. Not to be changed. */
  get all(): ReadonlyMap<string, T> {
    return this.#objects;
  }

  /** What is known of the very object at that very version. */
  at(metadata: Identified['metadata']): T | undefined {
    const known = this.#objects.get(keyOf(metadata));
    const { uid, resourceVersion } = known?.metadata ?? {};
    return uid === metadata.uid && resourceVersion === metadata.resourceVersion ? known : undefined;
  }

  /** Takes what is newer than what is known under its key. */
  set(object: T): void {
    const key = keyOf(object.metadata);
    const known = this.#objects.get(key);
    if (known && compareVersions(versionOf(object), versionOf(known)) <= 0) return;
    const same = known?.metadata.uid === object.metadata.uid;
    if (known && !same) this.remove(key, versionOf(object));
    this.#objects.set(key, object);
    this.#onChange({ type: 'set', key, object, ...(known && same ? { before: known } : {}) });
  }

  /** Forgets what was gone at `version`, unless something newer is known. */
  remove(key: string, version: string): void {
    const known = this.#objects.get(key);
    if (known && compareVersions(versionOf(known), version) <= 0) this.#delete(key, known);
  }

  /** Takes a list of all that there was at `version`. */
  replaceAll(listed: T[], version: string): void {
    const keys = new Set(listed.map(({ metadata }) => keyOf(metadata)));
    for (const key of [...this.#objects.keys()]) if (!keys.has(key)) this.remove(key, version);
    for (const object of listed) this.set(object);
  }

  /** Takes that there is none of the kind any more. */
  clear(): void {
    for (const [key, known] of [...this.#objects]) this.#delete(key, known);
  }

  #delete(key: string, known: T): void {
    this.#objects.delete(key);
    this.#onChange({ type: 'deleted', key, object: known });
  }
}
