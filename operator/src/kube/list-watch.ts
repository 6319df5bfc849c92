import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import { backoff, restartable, sleep } from './clock.ts';
import { ApiError, isGone } from './errors.ts';
import type { KubeObject } from './object.ts';
import { keyOf } from './object.ts';
import type { ListPage, Selection } from './options.ts';
import type { Kind } from './resources.ts';
import type { WatchEvent } from './watch-stream.ts';

/** One difference between the store before and after; `object` is the last one known of a deleted key. */
export type Change<T> = { type: 'set' | 'deleted'; key: string; object: T };

export type Timings = {
  /** The server ends a watch after this; half as much again at random, so that watches don't end together. */
  watchSeconds: number;
  /** Silence (not even a bookmark, which come every minute) after which the connection counts as dead. */
  silenceMs: number;
  /** The whole list is read anew this often, whatever the watch said. */
  relistMs: number;
  firstRetryMs: number;
  maxRetryMs: number;
};

const TIMINGS: Timings = {
  watchSeconds: 300,
  silenceMs: 150_000,
  relistMs: 600_000,
  firstRetryMs: 500,
  maxRetryMs: 30_000,
};

const RELIST_DUE = Symbol('relist is due');

export type ListWatchOptions<T extends KubeObject> = {
  client: KubeClient;
  kind: Kind;
  selection?: Selection;
  /** Must not throw: a change is told once. */
  onChange: (change: Change<T>) => void;
  /** Told of what went wrong; it is retried after `retryMs`. */
  onError: (error: unknown, retryMs: number) => void;
  clock: Clock;
  timings?: Partial<Timings>;
};

/**
 * A store that follows one kind: listed, then watched from there, for as long as `run` runs. A watch that ends or
 * breaks is resumed where it was; one that is too old (410) is listed again, and what is gone by then is
 * reported as deleted.
 */
export class ListWatch<T extends KubeObject> {
  /** Resolves when the first list stands in the store. */
  readonly synced: Promise<void>;
  readonly #options: ListWatchOptions<T>;
  readonly #timings: Timings;
  readonly #objects = new Map<string, T>();
  readonly #markSynced: () => void;
  #isSynced = false;
  /** Where to watch from; undefined when only a list can tell. */
  #resourceVersion: string | undefined;
  #relistAt = 0;
  #lastContact: number;
  #failures = 0;

  constructor(options: ListWatchOptions<T>) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#markSynced = resolve;
    this.#options = options;
    this.#timings = { ...TIMINGS, ...options.timings };
    this.#lastContact = options.clock.now();
  }

  /** What is known, by `namespace/name`. Not to be changed. */
  get objects(): ReadonlyMap<string, T> {
    return this.#objects;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Milliseconds since the server was last heard: what a health check looks at. */
  get silentMs(): number {
    return this.#options.clock.now() - this.#lastContact;
  }

  /** Follows the kind until `signal` aborts. Throws nothing: errors go to `onError` and are retried. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === undefined || this.#options.clock.now() >= this.#relistAt) {
          await this.#list(signal);
        }
        await this.#watch(signal);
      } catch (error) {
        if (!signal.aborted) await this.#recover(error, signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, kind, selection = {}, clock } = this.#options;
    const items: T[] = [];
    let page: ListPage<T> | undefined;
    do {
      page = await client.listPage<T>(kind, selection, page?.continue, signal);
      items.push(...page.items);
      this.#heard();
    } while (page.continue);
    this.#resourceVersion = page.resourceVersion;
    this.#relistAt = clock.now() + this.#timings.relistMs * (1 + clock.random() / 2);
    this.#replaceAll(items);
    this.#isSynced = true;
    this.#markSynced();
  }

  #replaceAll(items: T[]): void {
    const listed = new Set(items.map((item) => keyOf(item.metadata)));
    for (const [key, object] of this.#objects) {
      if (!listed.has(key)) this.#remove(key, object);
    }
    for (const item of items) this.#set(item);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock, kind } = this.#options;
    const { silenceMs } = this.#timings;
    const cut = new AbortController();
    const silent = () => cut.abort(new Error(`watch of ${kind.kind}: nothing heard for ${silenceMs} ms`));
    const silence = restartable(clock, silenceMs, silent);
    const relist = restartable(clock, this.#relistAt - clock.now(), () => cut.abort(RELIST_DUE));
    const began = clock.now();
    try {
      for await (const event of this.#events(AbortSignal.any([signal, cut.signal]))) {
        silence.restart();
        this.#take(event);
      }
    } catch (error) {
      if (cut.signal.reason === RELIST_DUE) return;
      throw cut.signal.aborted ? cut.signal.reason : error;
    } finally {
      silence.cancel();
      relist.cancel();
    }
    await this.#pauseAfterShortWatch(began, signal);
  }

  #events(signal: AbortSignal): AsyncGenerator<WatchEvent<T>> {
    const { client, kind, selection = {}, clock } = this.#options;
    return client.watch<T>(kind, selection, {
      resourceVersion: this.#resourceVersion ?? '',
      timeoutSeconds: Math.ceil(this.#timings.watchSeconds * (1 + clock.random() / 2)),
      signal,
    });
  }

  /** A server that ends each watch at once must not be asked in a tight loop. */
  async #pauseAfterShortWatch(began: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const { firstRetryMs, maxRetryMs } = this.#timings;
    if (clock.now() - began >= firstRetryMs) this.#failures = 0;
    else await sleep(clock, backoff(this.#failures++, firstRetryMs, maxRetryMs, clock.random), signal);
  }

  #take({ type, object }: WatchEvent<T>): void {
    this.#heard();
    this.#failures = 0;
    if (type === 'DELETED') this.#remove(keyOf(object.metadata), object);
    else if (type !== 'BOOKMARK') this.#set(object);
    this.#resourceVersion = object.metadata.resourceVersion;
  }

  #set(object: T): void {
    const key = keyOf(object.metadata);
    const known = this.#objects.get(key);
    if (known && known.metadata.uid !== object.metadata.uid) this.#remove(key, known);
    else if (known?.metadata.resourceVersion === object.metadata.resourceVersion) return;
    this.#objects.set(key, object);
    this.#options.onChange({ type: 'set', key, object });
  }

  #remove(key: string, object: T): void {
    if (this.#objects.delete(key)) this.#options.onChange({ type: 'deleted', key, object });
  }

  #heard(): void {
    this.#lastContact = this.#options.clock.now();
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, onError } = this.#options;
    const { firstRetryMs, maxRetryMs } = this.#timings;
    if (isGone(error)) this.#resourceVersion = undefined;
    const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    const retryMs = Math.max(asked, backoff(this.#failures++, firstRetryMs, maxRetryMs, clock.random));
    onError(error, retryMs);
    await sleep(clock, retryMs, signal);
  }
}
