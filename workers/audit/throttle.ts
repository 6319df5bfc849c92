import { sleep } from '../lib/retry.ts';

/** Lets so many rows a second through, whatever else a page costs. */
export class Throttle {
  readonly #perSecond: number;
  readonly #signal: AbortSignal;
  #next = 0;

  constructor(perSecond: number, signal: AbortSignal) {
    this.#perSecond = perSecond;
    this.#signal = signal;
  }

  /** Waits until `rows` may be asked for. @throws the signal's AbortError */
  async take(rows: number): Promise<void> {
    const now = performance.now();
    const waitMs = this.#next - now;
    this.#next = Math.max(now, this.#next) + (rows / this.#perSecond) * 1000;
    this.#signal.throwIfAborted();
    if (waitMs > 0) await sleep(waitMs, this.#signal);
  }
}
