import type { Clock } from './clock.ts';
import { backoff } from './clock.ts';
import { Turns } from './turns.ts';

/** What a handler asks for: to be called again after a time, or nothing until the next event. */
export type Outcome = { requeueAfterMs?: number } | undefined;

export type QueueObserver = {
  added(): void;
  depth(waiting: number): void;
  waited(seconds: number): void;
  worked(seconds: number): void;
  retried(): void;
};

export type QueueOptions = {
  /** `failures`: how often in a row the key has failed before. */
  handler: (key: string, failures: number) => Promise<Outcome>;
  /** Told of every failure; the key comes back by itself after `retryMs`. */
  onFailure: (key: string, error: unknown, retryMs: number) => void;
  concurrency: number;
  clock: Clock;
  observer?: QueueObserver;
};

const FIRST_RETRY_MS = 5;
const MAX_RETRY_MS = 60_000;

/**
 * What comes back only because time has passed leaves room for what has changed: all keys that asked for about as little
 * time, or less, share this many runs.
 */
const LOOKS_PER_SECOND = 20;

type Delayed = { at: number; askedMs: number; isLook: boolean; cancel: () => void };

/**
 * A work queue of keys: a key waits at most once, is never in flight twice, and comes back after a failure
 * with an exponential back-off of its own. An event that comes in while its key is in flight is not lost:
 * the key runs again right after. A key that only asked to be looked at again goes behind those with news.
 */
export class WorkQueue {
  readonly #options: QueueOptions;
  readonly #waiting = new Turns();
  readonly #inFlight = new Map<string, { since: number; work: Promise<void> }>();
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  #stopped = false;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Keys that wait for a free worker. */
  get depth(): number {
    return this.#waiting.size;
  }

  /** For how many seconds each key in flight has been worked on. */
  get workedSeconds(): number[] {
    const now = this.#options.clock.now();
    return [...this.#inFlight.values()].map(({ since }) => (now - since) / 1000);
  }

  /** Queues the key now, unless it already waits. */
  add(key: string): void {
    this.#add(key, false);
  }

  #add(key: string, isLook: boolean): void {
    if (this.#stopped || this.#again.has(key)) return;
    const isInFlight = this.#inFlight.has(key);
    if (isInFlight) this.#again.add(key);
    if (isInFlight || this.#waiting.add(key, this.#options.clock.now(), isLook))
      this.#options.observer?.added();
    this.#fill();
  }

  /** Queues the key after `ms`; of several such calls the earliest counts. */
  addAfter(key: string, ms: number): void {
    this.#delay(key, ms, { askedMs: ms, isLook: false });
  }

  #delay(key: string, ms: number, { askedMs, isLook }: Pick<Delayed, 'askedMs' | 'isLook'>): void {
    if (this.#stopped) return;
    const { clock } = this.#options;
    const at = clock.now() + ms;
    const pending = this.#delayed.get(key);
    if (pending && pending.at <= at) {
      pending.isLook &&= isLook;
      return;
    }
    pending?.cancel();
    const due: Delayed = { at, askedMs, isLook, cancel: clock.after(ms, () => this.#due(key, due)) };
    this.#delayed.set(key, due);
  }

  #due(key: string, { isLook }: Delayed): void {
    this.#delayed.delete(key);
    this.#add(key, isLook);
  }

  /** Forgets the key's failures: its next back-off starts small again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Starts nothing more; resolves when what is in flight has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#waiting.clear();
    this.#again.clear();
    await Promise.all([...this.#inFlight.values()].map(({ work }) => work));
  }

  #fill(): void {
    const { clock, concurrency, observer } = this.#options;
    while (!this.#stopped && this.#inFlight.size < concurrency) {
      const next = this.#waiting.take();
      if (!next) break;
      observer?.waited((clock.now() - next.since) / 1000);
      this.#inFlight.set(next.key, { since: clock.now(), work: this.#work(next.key) });
    }
    observer?.depth(this.depth);
  }

  async #work(key: string): Promise<void> {
    const { clock, handler, observer } = this.#options;
    const started = clock.now();
    this.#forgetLook(key);
    try {
      // The handler begins in a later tick, when the key already counts as in flight.
      await Promise.resolve();
      this.#succeeded(key, await handler(key, this.#failures.get(key) ?? 0));
    } catch (error) {
      this.#failed(key, error);
    }
    observer?.worked((clock.now() - started) / 1000);
    this.#inFlight.delete(key);
    if (this.#again.delete(key)) this.#waiting.add(key, clock.now(), false);
    this.#fill();
  }

  /** Who is looked at now need not be looked at again because time has passed. */
  #forgetLook(key: string): void {
    const pending = this.#delayed.get(key);
    if (!pending?.isLook) return;
    pending.cancel();
    this.#delayed.delete(key);
  }

  #succeeded(key: string, outcome: Outcome): void {
    this.forget(key);
    const askedMs = outcome?.requeueAfterMs;
    if (askedMs === undefined) return;
    let rivals = 0;
    for (const other of this.#delayed.values()) if (other.askedMs <= 2 * askedMs) rivals += 1;
    this.#delay(key, Math.max(askedMs, (rivals / LOOKS_PER_SECOND) * 1000), { askedMs, isLook: true });
  }

  #failed(key: string, error: unknown): void {
    const { clock, observer, onFailure } = this.#options;
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const asked = (error as { retryAfterMs?: number } | undefined)?.retryAfterMs ?? 0;
    const retryMs = Math.max(asked, backoff(failures, FIRST_RETRY_MS, MAX_RETRY_MS, clock.random));
    onFailure(key, error, retryMs);
    observer?.retried();
    this.addAfter(key, retryMs);
  }
}
