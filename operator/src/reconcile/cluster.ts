import type { V1Pod, V1Secret } from '@kubernetes/client-node';
import type { PipelineKey } from '../api/names.ts';
import { isApplied, stamped } from '../kube/applied.ts';
import type { KubeClient } from '../kube/client.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import type { Kind } from '../kube/resources.ts';
import { componentSelector } from '../specs/meta.ts';

export const FIELD_MANAGER = 'userstream-operator';

/** An object that someone else made has the name that ours would have. */
export class NameTakenError extends Error {
  constructor({ kind, metadata }: KubeObject) {
    super(
      `${kind} ${metadata.name} exists and is not the operator's; delete or rename it, or rename the pipeline`,
    );
  }
}

function isOurs({ metadata }: KubeObject): boolean {
  return metadata.labels?.['app.kubernetes.io/managed-by'] === FIELD_MANAGER;
}

/** The API server, as one pipeline's reconcile uses it: always read afresh, written only where something differs. */
export class Cluster {
  readonly #client: KubeClient;
  readonly #key: PipelineKey;

  constructor(client: KubeClient, key: PipelineKey) {
    this.#client = client;
    this.#key = key;
  }

  /** An object of the pipeline's namespace as the API server holds it now; undefined where there is none. */
  async get<T>(kind: Kind, name: string): Promise<T | undefined> {
    const found = await this.#client.get({ ...kind, namespace: this.#key.namespace, name });
    return found as T | undefined;
  }

  /** Makes the object be as given and returns it as the API server holds it. */
  async ensure<T>(object: KubeObject): Promise<T> {
    const desired = stamped(object);
    const live = await this.#client.get(refOf(object));
    if (isApplied(desired, live, FIELD_MANAGER)) return live as T;
    if (live && !isOurs(live)) throw new NameTakenError(live);
    return (await this.#client.apply(desired, { fieldManager: FIELD_MANAGER })) as unknown as T;
  }

  async ensureAll(objects: KubeObject[]): Promise<void> {
    for (const object of objects) await this.ensure(object);
  }

  /** Deletes what `name` names (only the very one of `uid`, where given); answers false where there was none. */
  delete(kind: Kind, name: string, uid?: string): Promise<boolean> {
    const ref = { ...kind, namespace: this.#key.namespace, name };
    return this.#client.delete(ref, uid ? { preconditions: { uid } } : {});
  }

  /** The objects of a kind that belong to one component of the pipeline. */
  async list<T>(kind: Kind, component: string): Promise<T[]> {
    const labelSelector = componentSelector(this.#key.name, component);
    const { items } = await this.#client.list(kind, { namespace: this.#key.namespace, labelSelector });
    return items as unknown as T[];
  }

  pods(component: string): Promise<V1Pod[]> {
    return this.list({ apiVersion: 'v1', kind: 'Pod' }, component);
  }

  /** The Secret's values as text, by key; undefined where there is no such Secret. */
  async secret(name: string): Promise<Record<string, string> | undefined> {
    const found = await this.get<V1Secret>({ apiVersion: 'v1', kind: 'Secret' }, name);
    if (!found) return undefined;
    const decode = (value: string) => Buffer.from(value, 'base64').toString();
    return Object.fromEntries(Object.entries(found.data ?? {}).map(([key, value]) => [key, decode(value)]));
  }
}
