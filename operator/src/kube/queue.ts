import type { Clock } from './clock.ts';
import { backoff } from './clock.ts';

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

/**
 * A work queue of keys: a key waits at most once, is never in flight twice, and comes back after a failure
 * with an exponential back-off of its own. An event that comes in while its key is in flight is not lost:
 * the key runs again right after.
 */
export class WorkQueue {
  readonly #options: QueueOptions;
  /** Waiting keys in order of arrival, with the time they came. */
  readonly #waiting = new Map<string, number>();
  readonly #inFlight = new Map<string, { since: number; work: Promise<void> }>();
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, { at: number; askedMs: number; cancel: () => void }>();
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
    if (this.#stopped || this.#waiting.has(key) || this.#again.has(key)) return;
    this.#options.observer?.added();
    if (this.#inFlight.has(key)) this.#again.add(key);
    else this.#enqueue(key);
  }

  /** Queues the key after `ms`; of several such calls the earliest counts. */
  addAfter(key: string, ms: number): void {
    this.#delay(key, ms, ms);
  }

  #delay(key: string, ms: number, askedMs: number): void {
    if (this.#stopped) return;
    const { clock } = this.#options;
    const at = clock.now() + ms;
    const pending = this.#delayed.get(key);
    if (pending && pending.at <= at) return;
    pending?.cancel();
    const cancel = clock.after(ms, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { at, askedMs, cancel });
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

  #enqueue(key: string): void {
    this.#waiting.set(key, this.#options.clock.now());
    this.#options.observer?.depth(this.depth);
    this.#fill();
  }

  #fill(): void {
    const { clock, concurrency, observer } = this.#options;
    for (const [key, since] of this.#waiting) {
      if (this.#stopped || this.#inFlight.size >= concurrency) return;
      this.#waiting.delete(key);
      observer?.depth(this.depth);
      observer?.waited((clock.now() - since) / 1000);
      this.#inFlight.set(key, { since: clock.now(), work: this.#work(key) });
    }
  }

  async #work(key: string): Promise<void> {
    const { clock, handler, observer } = this.#options;
    const started = clock.now();
    try {
      // The handler begins in a later tick, when the key already counts as in flight.
      await Promise.resolve();
      this.#succeeded(key, await handler(key, this.#failures.get(key) ?? 0));
    } catch (error) {
      this.#failed(key, error);
    }
    observer?.worked((clock.now() - started) / 1000);
    this.#inFlight.delete(key);
    if (this.#again.delete(key)) this.#enqueue(key);
    else this.#fill();
  }

  #succeeded(key: string, outcome: Outcome): void {
    this.forget(key);
    const askedMs = outcome?.requeueAfterMs;
    if (askedMs === undefined) return;
    let rivals = 0;
    for (const other of this.#delayed.values()) if (other.askedMs <= 2 * askedMs) rivals += 1;
    this.#delay(key, Math.max(askedMs, (rivals / LOOKS_PER_SECOND) * 1000), askedMs);
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
