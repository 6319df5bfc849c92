import type { Lsn } from './lsn.ts';

/** Looks further apart than this say nothing of the time between them. */
const LOOKS_APART_MS = 6000;

/** For how long the relay has kept up: whatever was in the WAL at one look at its end was published by the next. */
export class Pace {
  #last: { end: Lsn; at: number } | undefined;
  #since: number | undefined;

  /**
   * Takes a look in.
   * @param end the end of the WAL, read before `confirmed`, up to which everything is published
   * @param now monotonic milliseconds
   * @returns for how many milliseconds the relay has kept up; 0 while it doesn't
   */
  look(end: Lsn, confirmed: Lsn, now: number): number {
    const passed = this.#last && now - this.#last.at <= LOOKS_APART_MS ? this.#last.end : end;
    this.#since = confirmed >= passed ? (this.#since ?? now) : undefined;
    this.#last = { end, at: now };
    return this.#since === undefined ? 0 : now - this.#since;
  }
}
