import type { KubeClient } from './client.ts';
import { backoff, type Clock, restartable, sleep } from './clock.ts';
import { ApiError, isGone, isNotServed } from './errors.ts';
import { type Change, type Identified, KnownObjects } from './known-objects.ts';
import { type KubeObject, keyOf } from './object.ts';
import type { ListPage } from './options.ts';
import type { Kind } from './resources.ts';
import { type Selection, selects } from './selection.ts';
import { TIMINGS, type Timings } from './timings.ts';
import { compareVersions } from './versions.ts';
import type { WatchEvent } from './watch-stream.ts';

const RELIST_DUE = Symbol('relist is due');

/** The server's answer is older than what it said before: an API server that is behind, or that was set back. */
class StaleListError extends Error {}

export type ListWatchOptions<T extends Identified> = {
  client: KubeClient;
  kind: Kind;
  selection?: Selection;
  /** The kind may be missing: without its CRD there are no objects of it, which is no error. */
  optional?: boolean;
  /** What is kept of an object. */
  transform: (object: KubeObject) => T;
  /** Must not throw: a change is told once. */
  onChange: (change: Change<T>) => void;
  /** Told of what went wrong; it is retried after `retryMs`. */
  onError: (error: unknown, retryMs: number) => void;
  clock: Clock;
  timings?: Partial<Timings>;
};

/**
 * What is known of one kind: listed, then watched from there, for as long as `run` runs. A watch that ends or breaks is
 * resumed where it was; one that is too old (410) is listed again, and what is gone by then is reported as deleted.
 * What the server replays from an older time is not believed.
 */
export class ListWatch<T extends Identified> {
  /** Resolves when the first list is known. */
  readonly synced: Promise<void>;
  readonly #options: ListWatchOptions<T>;
  readonly #timings: Timings;
  readonly #known: KnownObjects<T>;
  readonly #markSynced: () => void;
  #isSynced = false;
  /** The newest version that the server has told of: where to watch from. */
  #seen: string | undefined;
  #relistAt = 0;
  #lastContact = 0;
  #failures = 0;

  constructor(options: ListWatchOptions<T>) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#markSynced = resolve;
    this.#options = options;
    this.#timings = { ...TIMINGS, ...options.timings };
    this.#known = new KnownObjects(options.onChange);
  }

  /** What is known, by `namespace/name`. Not to be changed. */
  get objects(): ReadonlyMap<string, T> {
    return this.#known.all;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Milliseconds since the server was last heard, or `run` began: what a health check looks at. */
  get silentMs(): number {
    return this.#options.clock.now() - this.#lastContact;
  }

  /** Takes what another request has shown of an object, unless something newer is known, or that it is gone by now. */
  offer(object: KubeObject): void {
    if (!this.#isGone(object)) this.#known.set(this.#kept(object));
  }

  /** Follows the kind until `signal` aborts. Throws nothing: errors go to `onError` and are retried. */
  async run(signal: AbortSignal): Promise<void> {
    this.#heard();
    while (!signal.aborted) {
      try {
        if (this.#options.clock.now() >= this.#relistAt) await this.#list(signal);
        await this.#watch(signal);
      } catch (error) {
        if (!signal.aborted) await this.#recover(error, signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, kind, selection = {}, clock } = this.#options;
    const items: T[] = [];
    let page: ListPage<KubeObject> | undefined;
    do {
      page = await client.listPage(kind, selection, page?.continue, signal);
      for (const item of page.items) items.push(this.#kept(item));
    } while (page.continue);
    const version = page.resourceVersion;
    if (this.#seen && compareVersions(version, this.#seen) < 0) {
      throw new StaleListError(`list of ${kind.kind}: version ${version}, but ${this.#seen} was seen`);
    }
    this.#relistAt = clock.now() + this.#timings.relistMs * (1 + clock.random() / 2);
    this.#seen = version;
    this.#known.replaceAll(items, version);
    this.#isKnown();
  }

  #isKnown(): void {
    this.#heard();
    this.#isSynced = true;
    this.#markSynced();
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

  #events(signal: AbortSignal): AsyncGenerator<WatchEvent<KubeObject>> {
    const { client, kind, selection = {}, clock } = this.#options;
    return client.watch(kind, selection, {
      resourceVersion: this.#seen ?? '',
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

  #take({ type, object }: WatchEvent<KubeObject>): void {
    this.#heard();
    this.#failures = 0;
    const version = object.metadata.resourceVersion ?? '';
    if (this.#seen && compareVersions(version, this.#seen) <= 0) return;
    this.#seen = version;
    if (type === 'DELETED') this.#known.remove(keyOf(object.metadata), version);
    else if (type !== 'BOOKMARK') this.#known.set(this.#kept(object));
  }

  /** The watch has told of all that it selects up to what it has seen: what is older and not known any more is gone. */
  #isGone(object: KubeObject): boolean {
    const { resourceVersion = '' } = object.metadata;
    if (!this.#seen || compareVersions(resourceVersion, this.#seen) > 0) return false;
    return !this.objects.has(keyOf(object.metadata)) && selects(this.#options.selection ?? {}, object);
  }

  #kept(object: KubeObject): T {
    return this.#known.at(object.metadata) ?? this.#options.transform(object);
  }

  #heard(): void {
    this.#lastContact = this.#options.clock.now();
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, onError, optional } = this.#options;
    const { absentMs, firstRetryMs, maxRetryMs } = this.#timings;
    if (isGone(error) || isNotServed(error)) this.#relistAt = 0;
    // The server speaks: to begin anew would not bring the kind back.
    if (isNotServed(error)) this.#heard();
    if (optional && isNotServed(error)) {
      this.#known.clear();
      this.#isKnown();
      return await sleep(clock, absentMs, signal);
    }
    const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    const retryMs = Math.max(asked, backoff(this.#failures++, firstRetryMs, maxRetryMs, clock.random));
    onError(error, retryMs);
    await sleep(clock, retryMs, signal);
  }
}
