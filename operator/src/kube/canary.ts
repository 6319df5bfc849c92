import { type Clock, sleep } from './clock.ts';
import type { QueueOptions } from './queue.ts';

type Handler = QueueOptions['handler'];

/** A key that no object has. */
const CANARY = 'canary';

const EVERY_MS = 60_000;
const OVERDUE_MS = 3 * EVERY_MS;

/**
 * A key that stands for nothing and goes through the work queue each minute, between all others: when neither it nor
 * another key comes through, nothing does. A queue that is only slow is alive.
 */
export class Canary {
  readonly #clock: Clock;
  #passedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#passedAt = clock.now();
  }

  /** Sends it each minute until `signal` aborts. */
  async run(send: (key: string) => void, signal: AbortSignal): Promise<void> {
    this.#passedAt = this.#clock.now();
    while (!signal.aborted) {
      send(CANARY);
      await sleep(this.#clock, EVERY_MS, signal);
    }
  }

  /** The handler of the queue that it goes through: whatever becomes of a key, it has come through. */
  beside(handler: Handler): Handler {
    return async (key, failures) => {
      try {
        return key === CANARY ? undefined : await handler(key, failures);
      } finally {
        this.#passedAt = this.#clock.now();
      }
    };
  }

  /** What is wrong, once it is overdue. */
  problems(): string[] {
    const silentMs = this.#clock.now() - this.#passedAt;
    if (silentMs <= OVERDUE_MS) return [];
    return [`nothing has come through the work queue for ${Math.round(silentMs / 1000)} s`];
  }
}
