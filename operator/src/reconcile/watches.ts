import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { SECRET } from '../kube/kinds.ts';
import { keyOf } from '../kube/object.ts';
import type { Standing } from '../kube/standing.ts';
import { Store } from '../kube/store.ts';
import { FOLLOWED, PIPELINES } from './followed.ts';
import { FIELD_MANAGER } from './owned.ts';
import type { Access } from './reads.ts';
import { SecretReaders } from './secret-readers.ts';

/** Changes of a pipeline's objects come in bursts: it is looked at once for all of them. */
const BURST_MS = 500;

type Options = {
  client: KubeClient;
  clock: Clock;
  /** Undefined: all namespaces. */
  namespace?: string;
  /** Told of each pipeline that something has changed for, and how long it may wait. */
  wake: (pipeline: string, waitMs: number) => void;
  onError: (kind: string, error: unknown, retryMs: number) => void;
};

/** Follows all that concerns pipelines and wakes those that a change concerns. */
export class Watches {
  readonly #store: Store;
  readonly #client: KubeClient;
  readonly #namespace: string | undefined;
  readonly #readers = new SecretReaders();
  readonly #wake: Options['wake'];
  #isSynced = false;

  constructor({ client, clock, namespace, wake, onError }: Options) {
    this.#wake = wake;
    this.#namespace = namespace;
    this.#store = new Store({
      manager: FIELD_MANAGER,
      kinds: FOLLOWED,
      client,
      clock,
      ...(namespace ? { namespace } : {}),
      onChange: (object, type) => this.#changed(object, type),
      onError,
    });
    this.#client = client.with({ aroundWrite: (ref, write) => this.#store.around(ref, write) });
  }

  /** What a reconcile reads and writes with. */
  get access(): Access {
    return {
      client: this.#client,
      ...(this.#namespace ? { namespace: this.#namespace } : {}),
      store: this.#store,
      onSecretRead: (secret, pipeline) => this.#readers.add(secret, pipeline),
    };
  }

  /** The longest time, in milliseconds, for which a watch has heard nothing. */
  get silentMs(): number {
    return this.#store.silentMs;
  }

  /** Watches until `signal` aborts. Nobody is woken before all is known. */
  async run(signal: AbortSignal): Promise<void> {
    void this.#store.synced.then(() => this.#begin());
    await this.#store.run(signal);
  }

  #begin(): void {
    this.#isSynced = true;
    for (const { metadata } of this.#store.all(PIPELINES)) this.#wake(keyOf(metadata), 0);
  }

  #changed(object: Standing, type: 'set' | 'deleted'): void {
    const key = keyOf(object.metadata);
    const isPipeline = object.kind === PIPELINES.kind;
    if (isPipeline && type === 'deleted') this.#readers.remove(key);
    if (!this.#isSynced) return;
    if (isPipeline) this.#wake(key, 0);
    else for (const pipeline of this.#concerned(object)) this.#wake(pipeline, BURST_MS);
  }

  /** The pipelines that there are of those to which an object belongs, or which read it. */
  #concerned({ kind, instance, metadata }: Standing): string[] {
    const { namespace } = metadata;
    const readers = kind === SECRET.kind ? this.#readers.of(keyOf(metadata)) : [];
    const keys = new Set([keyOf({ namespace, name: instance }), ...readers]);
    return [...keys].filter((key) => this.#store.has(PIPELINES, key));
  }
}
