import { type Clock, sleep } from './clock.ts';

/** A key that no object has. */
export const CANARY = 'canary';

const EVERY_MS = 60_000;
const OVERDUE_MS = 3 * EVERY_MS;

/**
 * A key that stands for nothing and goes through the work queue each minute, between all others: when it doesn't come
 * through, nothing does.
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
    await this.passed();
    while (!signal.aborted) {
      send(CANARY);
      await sleep(this.#clock, EVERY_MS, signal);
    }
  }

  /** It came through: what the queue's handler answers for its key. */
  async passed(): Promise<undefined> {
    this.#passedAt = this.#clock.now();
  }

  /** What is wrong, once it is overdue. */
  problems(): string[] {
    const silentMs = this.#clock.now() - this.#passedAt;
    if (silentMs <= OVERDUE_MS) return [];
    return [`nothing has come through the work queue for ${Math.round(silentMs / 1000)} s`];
  }
}
