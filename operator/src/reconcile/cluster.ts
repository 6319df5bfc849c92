import type { V1Pod, V1Secret, V1StatefulSet } from '@kubernetes/client-node';
import type { PipelineKey } from '../api/names.ts';
import { isApplied, stamped } from '../kube/applied.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotServed } from '../kube/errors.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import { CREATE_ONLY, type Preconditions } from '../kube/options.ts';
import type { Kind } from '../kube/resources.ts';
import { componentSelector } from '../specs/meta.ts';
import { workloadCheck } from '../status/workloads.ts';
import { isOwnedBy, OWNED } from './owned.ts';

export const FIELD_MANAGER = 'userstream-operator';

/** An object that someone else made has the name that ours would have. */
export class NameTakenError extends Error {
  constructor({ kind, metadata }: KubeObject) {
    super(
      `${kind} ${metadata.name} exists and is not the operator's; delete or rename it, or rename the pipeline`,
    );
  }
}

/** An object is being deleted: it is made anew once it is gone. */
export class TerminatingError extends Error {
  constructor({ kind, metadata }: KubeObject) {
    const held = metadata.finalizers?.length ? `; it is held by ${metadata.finalizers.join(', ')}` : '';
    super(`${kind} ${metadata.name} is being deleted and will be made anew once it is gone${held}`);
  }
}

/**
 * How far a step may go: `write` all; `hold` back what would roll the pods of a workload that is well; `look` on and
 * write nothing.
 */
export type Mode = 'write' | 'hold' | 'look';

const WORKLOADS = new Set(['StatefulSet', 'Deployment']);

function isOurs({ metadata }: KubeObject): boolean {
  return metadata.labels?.['app.kubernetes.io/managed-by'] === FIELD_MANAGER;
}

function isWell(live: KubeObject): boolean {
  return WORKLOADS.has(live.kind) && workloadCheck(live as unknown as V1StatefulSet, []).ready;
}

/** What a write asks of the object that it changes: that it is the very one, as it was read. */
function unchanged({ metadata: { uid, resourceVersion } }: KubeObject): Preconditions {
  return { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
}

/**
 * The API server, as one pipeline's reconcile uses it: always read afresh, written only where something differs.
 * Every write carries a precondition, so that one that was decided on what is no longer true is refused (Conflict).
 */
export class Cluster {
  readonly #client: KubeClient;
  readonly #pipeline: PipelineKey & { uid: string };
  readonly #mode: Mode;
  /** What this reconcile has ensured, by `kind/name`. */
  readonly #ensured: Set<string>;

  constructor(
    client: KubeClient,
    pipeline: PipelineKey & { uid: string },
    mode: Mode = 'write',
    ensured = new Set<string>(),
  ) {
    this.#client = client;
    this.#pipeline = pipeline;
    this.#mode = mode;
    this.#ensured = ensured;
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** The same pipeline's objects with other rights to write. */
  with({ mode }: { mode: Mode }): Cluster {
    return new Cluster(this.#client, this.#pipeline, mode, this.#ensured);
  }

  /** An object of the pipeline's namespace as the API server holds it now; undefined where there is none. */
  async get<T>(kind: Kind, name: string): Promise<T | undefined> {
    const found = await this.#client.get({ ...kind, namespace: this.#pipeline.namespace, name });
    return found as T | undefined;
  }

  /**
   * Makes the object be as given, as far as the mode allows, and returns it as the API server holds it.
   * @throws {NameTakenError} where someone else's object has its name
   * @throws {TerminatingError} while one that is being deleted has it
   */
  async ensure<T>(object: KubeObject): Promise<T | undefined> {
    this.#ensured.add(`${object.kind}/${object.metadata.name}`);
    const desired = stamped(object);
    const live = await this.#client.get(refOf(object));
    if (this.#mode === 'look') return live as T | undefined;
    if (live?.metadata.deletionTimestamp) throw new TerminatingError(live);
    if (isApplied(desired, live, FIELD_MANAGER)) return live as T;
    if (live && !isOurs(live)) throw new NameTakenError(live);
    if (live && this.#mode === 'hold' && isWell(live)) return live as T;
    const preconditions = live ? unchanged(live) : CREATE_ONLY;
    return (await this.#client.apply(desired, { fieldManager: FIELD_MANAGER, preconditions })) as T;
  }

  async ensureAll(objects: KubeObject[]): Promise<void> {
    for (const object of objects) await this.ensure(object);
  }

  /**
   * Makes the objects be as given and takes away what else the pipeline owns of that component, one kind after the
   * other: the next goes when the last is gone. To be called with all that the component wants, what this reconcile
   * has ensured before included.
   */
  async ensureOnly(component: string, objects: KubeObject[]): Promise<void> {
    await this.ensureAll(objects);
    if (this.#mode === 'look') return;
    for (const kind of OWNED) {
      const unwanted = await this.#unwanted(kind, component);
      for (const object of unwanted) await this.#deleteVery(object);
      if (unwanted.length > 0) return;
    }
  }

  /**
   * Deletes what `name` names: the very one of `uid`, or else the one of the operator's that is there now. Answers
   * false where there was none.
   */
  async delete(kind: Kind, name: string, uid?: string): Promise<boolean> {
    if (this.#mode === 'look') return false;
    const ref = { ...kind, namespace: this.#pipeline.namespace, name };
    if (uid) return await this.#client.delete(ref, { preconditions: { uid } });
    const live = await this.#client.get(ref);
    return live && isOurs(live) ? await this.#deleteVery(live) : false;
  }

  /** Deletes the very object of `uid`; what it owns lives on, owned by nobody. */
  async deleteAlone(kind: Kind, name: string, uid: string): Promise<void> {
    if (this.#mode === 'look') return;
    const ref = { ...kind, namespace: this.#pipeline.namespace, name };
    await this.#client.delete(ref, { preconditions: { uid }, propagationPolicy: 'Orphan' });
  }

  /** The objects of a kind that belong to one component of the pipeline. */
  async list<T>(kind: Kind, component: string): Promise<T[]> {
    return (await this.#list(kind, component)) as unknown as T[];
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

  async #list(kind: Kind, component: string): Promise<KubeObject[]> {
    const { namespace, name } = this.#pipeline;
    const labelSelector = componentSelector(name, component);
    return (await this.#client.list(kind, { namespace, labelSelector })).items;
  }

  async #unwanted(kind: Kind, component: string): Promise<KubeObject[]> {
    try {
      const present = await this.#list(kind, component);
      return present.filter(
        (object) =>
          isOwnedBy(object, this.#pipeline.uid) &&
          !this.#ensured.has(`${object.kind}/${object.metadata.name}`),
      );
    } catch (error) {
      if (isNotServed(error)) return [];
      throw error;
    }
  }

  async #deleteVery(object: KubeObject): Promise<boolean> {
    const { uid, deletionTimestamp } = object.metadata;
    if (!uid || deletionTimestamp) return true;
    return await this.#client.delete(refOf(object), { preconditions: { uid } });
  }
}
