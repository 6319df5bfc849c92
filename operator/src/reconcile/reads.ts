import type { PipelineKey } from '../api/names.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotServed } from '../kube/errors.ts';
import { SECRET } from '../kube/kinds.ts';
import { type KubeObject, keyOf, type ObjectRef } from '../kube/object.ts';
import type { Kind } from '../kube/resources.ts';
import { asObject, type Standing, standing } from '../kube/standing.ts';
import type { Store } from '../kube/store.ts';
import { componentSelector } from '../specs/meta.ts';
import { FIELD_MANAGER } from './owned.ts';

/** The ways to the API server. */
export type Access = {
  client: KubeClient;
  /** The only namespace that may be looked at; undefined: all. */
  namespace?: string;
  /** What the watches tell; kinds that it doesn't follow are read from the API server. */
  store?: Store;
  /** Told of every Secret that is read, by its key, for the pipeline of that key. */
  onSecretRead?: (secret: string, pipeline: string) => void;
};

/** What one reconcile of a pipeline reads: from the watches, where they tell enough, and each Secret once. */
export class Reads {
  readonly #access: Access;
  readonly #pipeline: PipelineKey;
  readonly #secrets = new Map<string, Promise<KubeObject | undefined>>();
  /** What was kept as text, once it was looked at. */
  readonly #objects = new Map<Standing, KubeObject>();

  constructor(access: Access, pipeline: PipelineKey) {
    this.#access = access;
    this.#pipeline = pipeline;
  }

  /** An object as far as it is kept (followed.ts says what is); from the API server where only its essence is. */
  async get(kind: Kind, name: string): Promise<KubeObject | undefined> {
    const { client, store } = this.#access;
    const ref = this.ref(kind, name);
    if (kind.kind === SECRET.kind) return await this.#secret(ref);
    if (!store?.keeps(kind)) return await client.get(ref);
    const known = store.get(ref);
    return known && this.#object(known);
  }

  /** The objects of a kind that are labelled as a component's, as far as they are kept. */
  async list(kind: Kind, component: string): Promise<KubeObject[]> {
    const { client, store } = this.#access;
    const { namespace, name } = this.#pipeline;
    if (store?.keeps(kind))
      return store.list(kind, namespace, name, component).map((known) => this.#object(known));
    const labelSelector = componentSelector(name, component);
    return (await client.list(kind, { namespace, labelSelector })).items;
  }

  /** All objects of a kind that may be looked at, as far as they are kept. */
  async all(kind: Kind): Promise<Standing[]> {
    const { client, namespace, store } = this.#access;
    if (store?.keeps(kind)) return [...store.all(kind)];
    const { items } = await client.list(kind, namespace ? { namespace } : {});
    return items.map((live) => this.shown(live));
  }

  /** The essence of a component's objects; none where the kind isn't served. */
  async standings(kind: Kind, component: string): Promise<Standing[]> {
    const { store } = this.#access;
    const { namespace, name } = this.#pipeline;
    if (store?.follows(kind)) return store.list(kind, namespace, name, component);
    try {
      return (await this.list(kind, component)).map((live) => this.shown(live));
    } catch (error) {
      if (isNotServed(error)) return [];
      throw error;
    }
  }

  /** The essence of an object. What isn't the operator's isn't watched either: it may have gone, and is read anew. */
  async standing(ref: ObjectRef): Promise<Standing | undefined> {
    if (!this.follows(ref)) return await this.fresh(ref);
    const known = this.#access.store?.get(ref);
    return known?.ours === false ? await this.fresh(ref) : known;
  }

  /** The essence of an object as the API server holds it now. */
  async fresh(ref: ObjectRef): Promise<Standing | undefined> {
    const live = await this.#access.client.get(ref);
    return live && this.shown(live);
  }

  /** The essence of an object that an answer has shown, or of a newer state of it that is known. */
  shown(live: KubeObject): Standing {
    if (live.kind === SECRET.kind) this.#secrets.set(live.metadata.name, Promise.resolve(live));
    return this.#access.store?.offer(live) ?? standing(live, FIELD_MANAGER, (whole) => whole);
  }

  /** Whether what is known of a kind comes from a watch, and may be behind. */
  follows(kind: Kind): boolean {
    return this.#access.store?.follows(kind) ?? false;
  }

  #object(known: Standing): KubeObject {
    const object = this.#objects.get(known) ?? asObject(known);
    this.#objects.set(known, object);
    return object;
  }

  #secret(ref: ObjectRef): Promise<KubeObject | undefined> {
    const { client, onSecretRead } = this.#access;
    onSecretRead?.(keyOf(ref), keyOf(this.#pipeline));
    const read = this.#secrets.get(ref.name) ?? client.get(ref);
    this.#secrets.set(ref.name, read);
    return read;
  }

  ref(kind: Kind, name: string): ObjectRef {
    const { apiVersion, kind: kindName } = kind;
    return { apiVersion, kind: kindName, namespace: this.#pipeline.namespace, name };
  }
}
