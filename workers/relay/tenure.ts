import { StageError } from '../lib/health.ts';
import { SERVER_TIMEOUT_MS } from './stream.ts';

/** Well before the server gives the slot to another, counted from when it was asked what it answered last. */
const TENURE_MS = SERVER_TIMEOUT_MS * 0.75;

/**
 * Whether this relay is still the one that may publish. The server frees slot and lock of a relay that it hasn't heard for
 * a while: one that was cut off, or stood still, must send nothing more of what it holds, or it would land behind what the
 * next one sends.
 */
export class Tenure {
  readonly #now: () => number;
  #since: number;

  /** @param now milliseconds of a clock that is never set */
  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  /** Asks the server something: its answer, also one that lay about while this process stood still, tells of that moment. */
  async renew(ask: () => Promise<void>): Promise<void> {
    const asked = this.#now();
    await ask();
    this.#since = Math.max(this.#since, asked);
  }

  /** @throws {StageError} ServerSilent where another relay may have taken over */
  require(): void {
    if (this.#now() - this.#since < TENURE_MS) return;
    throw new StageError(
      'Postgres',
      'ServerSilent',
      `Postgres has not answered for ${TENURE_MS / 1000} s: another relay may read the slot by now, so nothing more is sent and this one begins anew`,
    );
  }
}
