import type { V1Pod, V1Secret, V1StatefulSet, V1StatefulSetSpec } from '@kubernetes/client-node';
import type { PipelineKey } from '../api/names.ts';
import { isApplied, keepsTemplate, prove, stamped } from '../kube/applied.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict } from '../kube/errors.ts';
import { POD, SECRET } from '../kube/kinds.ts';
import { type KubeObject, refOf } from '../kube/object.ts';
import { asKnown, CREATE_ONLY, type Preconditions } from '../kube/options.ts';
import type { Kind } from '../kube/resources.ts';
import { asObject, type Standing } from '../kube/standing.ts';
import { isSettled } from '../status/workloads.ts';
import { PIPELINES } from './followed.ts';
import { FIELD_MANAGER, OWNED } from './owned.ts';
import { type Access, Reads } from './reads.ts';
import { NameTakenError, TerminatingError } from './refusals.ts';

/** How far a step may go: `write` all, or `hold` back what would roll the pods of a workload that is well. */
export type Mode = 'write' | 'hold';

const WORKLOADS = new Set(['StatefulSet', 'Deployment']);

function hasReplicas(object: KubeObject): boolean {
  return (object['spec'] as V1StatefulSetSpec | undefined)?.replicas !== 0;
}

/** Whether a change rolls pods that are well. What is started or stopped as a whole rolls none. */
function rollsWellPods(live: Standing, desired: KubeObject): boolean {
  if (!WORKLOADS.has(live.kind) || keepsTemplate(desired, live.applied)) return false;
  const workload = asObject(live);
  if (!hasReplicas(workload) || !hasReplicas(desired)) return false;
  return isSettled(workload as unknown as V1StatefulSet);
}

const idOf = (kind: string, name: string) => `${kind}/${name}`;

/**
 * The API server, as one pipeline's reconcile uses it: read from the watches where they tell enough, written only where
 * something differs. Every write carries a precondition, so that one that was decided on what is no longer true is
 * refused (Conflict).
 */
export class Cluster {
  readonly #client: KubeClient;
  readonly #reads: Reads;
  readonly #access: Access;
  readonly #pipeline: PipelineKey & { uid: string };
  readonly #mode: Mode;
  /** What this reconcile has ensured. */
  readonly #ensured: Set<string>;

  constructor(
    access: Access,
    pipeline: PipelineKey & { uid: string },
    mode: Mode = 'write',
    { reads, ensured } = { reads: new Reads(access, pipeline), ensured: new Set<string>() },
  ) {
    this.#access = access;
    this.#client = access.client;
    this.#reads = reads;
    this.#pipeline = pipeline;
    this.#mode = mode;
    this.#ensured = ensured;
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** The same pipeline's objects with other rights to write. */
  with({ mode }: { mode: Mode }): Cluster {
    const shared = { reads: this.#reads, ensured: this.#ensured };
    return new Cluster(this.#access, this.#pipeline, mode, shared);
  }

  /** An object of the pipeline's namespace, as far as the watches keep it; undefined where there is none. */
  async get<T>(kind: Kind, name: string): Promise<T | undefined> {
    return (await this.#reads.get(kind, name)) as T | undefined;
  }

  /** The objects of a kind that belong to one component of the pipeline, as far as the watches keep them. */
  async list<T>(kind: Kind, component: string): Promise<T[]> {
    return (await this.#reads.list(kind, component)) as unknown as T[];
  }

  /** All pipelines that the operator may see, as far as the watches keep them. */
  async pipelines(): Promise<Standing[]> {
    return await this.#reads.all(PIPELINES);
  }

  /** The pods of a component, without their specs. */
  pods(component: string): Promise<V1Pod[]> {
    return this.list(POD, component);
  }

  /** The values as text, by key, of the Secret that stands now; undefined where there is no such Secret. */
  async secret(name: string): Promise<Record<string, string> | undefined> {
    const found = await this.get<V1Secret>(SECRET, name);
    if (!found) return undefined;
    const decode = (value: string) => Buffer.from(value, 'base64').toString();
    return Object.fromEntries(Object.entries(found.data ?? {}).map(([key, value]) => [key, decode(value)]));
  }

  /**
   * Makes the object be as given, as far as the mode allows, and returns it as far as it is kept.
   * @throws {NameTakenError} where someone else's object has its name
   * @throws {TerminatingError} while one that is being deleted has it
   */
  async ensure<T>(object: KubeObject): Promise<T> {
    this.#ensured.add(idOf(object.kind, object.metadata.name));
    const desired = stamped(object);
    const ref = refOf(object);
    const known = await this.#reads.standing(ref);
    const made = await this.#make(desired, known).catch(async (error) => {
      // What the watches tell may be behind.
      if (!isConflict(error) || !this.#reads.follows(ref)) throw error;
      return await this.#make(desired, await this.#reads.fresh(ref));
    });
    return asObject(made) as T;
  }

  async ensureAll(objects: KubeObject[]): Promise<void> {
    for (const object of objects) await this.ensure(object);
  }

  /**
   * Makes the objects be as given and takes away what else the pipeline owns of that component, one kind after the
   * other: the next goes when the last is gone. To be called with all that the component wants, but for what this
   * reconcile has ensured before.
   */
  async ensureOnly(component: string, objects: KubeObject[]): Promise<void> {
    await this.ensureAll(objects);
    for (const kind of OWNED) {
      const unwanted = await this.#unwanted(kind, component);
      for (const object of unwanted) await this.#deleteVery(object);
      if (unwanted.length > 0) return;
    }
  }

  /**
   * Deletes what `name` names: the very one of `preconditions`, or else the one of the operator's that is known.
   * Answers false where there was none. What is deleted for the state it is in needs its resourceVersion, too.
   */
  async delete(kind: Kind, name: string, preconditions?: Preconditions): Promise<boolean> {
    const ref = this.#reads.ref(kind, name);
    if (preconditions) return await this.#client.delete(ref, { preconditions });
    const live = await this.#reads.standing(ref);
    return live?.ours ? await this.#deleteVery(live) : false;
  }

  /** Deletes the very object that has the name now, whoever made it and whatever it is labelled. */
  async deleteWhosever(kind: Kind, name: string): Promise<void> {
    const ref = this.#reads.ref(kind, name);
    const live = await this.#client.get<KubeObject>(ref);
    if (live) await this.#client.delete(ref, { preconditions: { uid: live.metadata.uid ?? '' } });
  }

  /** Deletes the very object of `uid`; what it owns lives on, owned by nobody. */
  async deleteAlone(kind: Kind, name: string, uid: string): Promise<void> {
    const options = { preconditions: { uid }, propagationPolicy: 'Orphan' } as const;
    await this.#client.delete(this.#reads.ref(kind, name), options);
  }

  async #make(desired: KubeObject, live: Standing | undefined): Promise<Standing> {
    if (live?.terminating) throw new TerminatingError(live);
    if (live && isApplied(desired, live.applied)) return live;
    if (live && !live.ours) throw new NameTakenError(live);
    if (live && this.#mode === 'hold' && rollsWellPods(live, desired)) return live;
    const preconditions = live ? asKnown(live) : CREATE_ONLY;
    const written = await this.#client.apply(desired, { fieldManager: FIELD_MANAGER, preconditions });
    const made = this.#reads.shown(written);
    const isAnswer = made.metadata.resourceVersion === written.metadata.resourceVersion;
    if (isAnswer && made.applied) prove(made.applied);
    return made;
  }

  async #unwanted(kind: Kind, component: string): Promise<Standing[]> {
    const present = await this.#reads.standings(kind, component);
    return present.filter(
      ({ controller, metadata }) =>
        controller === this.#pipeline.uid && !this.#ensured.has(idOf(kind.kind, metadata.name)),
    );
  }

  async #deleteVery({ apiVersion, kind, metadata, terminating }: Standing): Promise<boolean> {
    if (terminating) return true;
    const { namespace, name, uid } = metadata;
    return await this.#client.delete({ apiVersion, kind, namespace, name }, { preconditions: { uid } });
  }
}
