import { carriedOver } from './applied.ts';
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import type { Change } from './known-objects.ts';
import { ListWatch } from './list-watch.ts';
import { type KubeObject, keyOf, type ObjectRef } from './object.ts';
import type { Kind } from './resources.ts';
import type { Selection } from './selection.ts';
import { type Keep, type Standing, standing } from './standing.ts';
import type { Timings } from './timings.ts';

/** A kind to follow. */
export type Followed = {
  kind: Kind;
  labelSelector?: string;
  /** What to keep beyond the essence; left out: only metadata is asked for. */
  keep?: Keep;
  /** Its CRD may be missing. */
  optional?: boolean;
};

export type StoreOptions = {
  /** The field manager whose applies are to be recognised. */
  manager: string;
  kinds: Followed[];
  client: KubeClient;
  clock: Clock;
  /** Undefined: all namespaces. */
  namespace?: string;
  /** Told of what a watch has shown, not of what was offered. */
  onChange: (object: Standing, type: 'set' | 'deleted') => void;
  onError: (kind: string, error: unknown, retryMs: number) => void;
  timings?: Partial<Timings>;
};

const id = ({ apiVersion, kind }: Kind) => `${apiVersion} ${kind}`;
const nameOf = (kind: Kind, object: { namespace?: string; name: string }) => `${id(kind)} ${keyOf(object)}`;

/** What stands on the API server, of the kinds that are followed, as their watches and the answers to writes tell. */
export class Store {
  readonly #options: StoreOptions;
  readonly #watches = new Map<string, { followed: Followed; watch: ListWatch<Standing> }>();
  /** The objects of each instance, by `namespace/instance`. */
  readonly #instances = new Map<string, Set<Standing>>();
  /** The writes under way, each with what a watch has told of its object meanwhile. */
  readonly #writes = new Set<{ name: string; told: Standing[] }>();
  #offering = false;

  constructor(options: StoreOptions) {
    this.#options = options;
    for (const followed of options.kinds) {
      this.#watches.set(id(followed.kind), { followed, watch: this.#follow(followed) });
    }
  }

  /** Resolves when every kind is known. */
  get synced(): Promise<unknown> {
    return Promise.all([...this.#watches.values()].map(({ watch }) => watch.synced));
  }

  get isSynced(): boolean {
    return [...this.#watches.values()].every(({ watch }) => watch.isSynced);
  }

  /** The longest time, in milliseconds, for which a watch has heard nothing. */
  get silentMs(): number {
    return Math.max(0, ...[...this.#watches.values()].map(({ watch }) => watch.silentMs));
  }

  /** Follows the kinds until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#watches.values()].map(({ watch }) => watch.run(signal)));
  }

  follows(kind: Kind): boolean {
    return this.#watches.has(id(kind));
  }

  /** Whether more than the essence of a kind's objects is kept. */
  keeps(kind: Kind): boolean {
    return this.#watches.get(id(kind))?.followed.keep !== undefined;
  }

  get(ref: ObjectRef): Standing | undefined {
    return this.#watches.get(id(ref))?.watch.objects.get(keyOf(ref));
  }

  has(kind: Kind, key: string): boolean {
    return this.#watches.get(id(kind))?.watch.objects.has(key) ?? false;
  }

  /** All objects of a kind that is followed. */
  all(kind: Kind): Iterable<Standing> {
    return this.#watches.get(id(kind))?.watch.objects.values() ?? [];
  }

  /** The objects of a kind that are labelled as a component of an instance. */
  list(kind: Kind, namespace: string, instance: string, component: string): Standing[] {
    const all = [...(this.#instances.get(`${namespace}/${instance}`) ?? [])];
    return all.filter((each) => each.component === component && id(each) === id(kind));
  }

  /** Takes an object that a request has just shown; answers with the newest that is known of it. */
  offer(object: KubeObject): Standing {
    const { manager } = this.#options;
    const known = this.#watches.get(id(object));
    if (!known) return standing(object, manager, (whole) => whole);
    const { followed, watch } = known;
    const key = keyOf(object.metadata);
    this.#offering = true;
    try {
      watch.offer(object);
    } finally {
      this.#offering = false;
    }
    return watch.objects.get(key) ?? standing(object, manager, followed.keep);
  }

  /** Does a write and takes its answer. What the watch tells of the object meanwhile is news only if it is something else. */
  async around<T extends KubeObject>(ref: ObjectRef, write: () => Promise<T>): Promise<T> {
    const underWay = { name: nameOf(ref, ref), told: [] as Standing[] };
    this.#writes.add(underWay);
    let version: string | undefined;
    try {
      const object = await write();
      version = object.metadata.resourceVersion;
      this.offer(object);
      return object;
    } finally {
      this.#writes.delete(underWay);
      const news = underWay.told.findLast(({ metadata }) => metadata.resourceVersion !== version);
      if (news) this.#options.onChange(news, 'set');
    }
  }

  #follow({ kind, labelSelector, keep, optional = false }: Followed): ListWatch<Standing> {
    const { client, clock, manager, namespace, onError, timings = {} } = this.#options;
    const selection: Selection = {
      ...(namespace ? { namespace } : {}),
      ...(labelSelector ? { labelSelector } : {}),
      metadataOnly: keep === undefined,
    };
    return new ListWatch({
      client,
      kind,
      selection,
      optional,
      transform: (object) => standing(object, manager, keep),
      onChange: (change) => this.#changed(change),
      onError: (error, retryMs) => onError(kind.kind, error, retryMs),
      clock,
      timings,
    });
  }

  #changed({ type, object, before }: Change<Standing>): void {
    if (before) this.#unindex(before);
    if (type === 'deleted') this.#unindex(object);
    else this.#index(object, before);
    if (this.#offering) return;
    this.#tell(object, type);
    // Whose it was has lost it.
    if (before && before.instance !== object.instance) this.#options.onChange(before, 'deleted');
  }

  #tell(object: Standing, type: 'set' | 'deleted'): void {
    const name = nameOf(object, object.metadata);
    const writes = type === 'set' ? [...this.#writes].filter((write) => write.name === name) : [];
    for (const { told } of writes) told.push(object);
    if (writes.length === 0) this.#options.onChange(object, type);
  }

  #index(object: Standing, before: Standing | undefined): void {
    object.applied = carriedOver(before?.applied, object.applied);
    const { namespace } = object.metadata;
    const key = `${namespace}/${object.instance}`;
    const instance = this.#instances.get(key) ?? new Set();
    this.#instances.set(key, instance.add(object));
  }

  #unindex(object: Standing): void {
    const key = `${object.metadata.namespace}/${object.instance}`;
    const instance = this.#instances.get(key);
    if (instance?.delete(object) && instance.size === 0) this.#instances.delete(key);
  }
}
