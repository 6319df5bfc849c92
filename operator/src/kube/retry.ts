import { backoff, type Clock, sleep } from './clock.ts';
import { ApiError, NoAnswerError } from './errors.ts';

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;
/** A request is begun again for so long after its first failure. */
const GIVEN_UP_MS = 60_000;

/** Whether the same request may succeed a little later: the server was busy or broken, or nobody knows what it did. */
function passes(error: unknown): boolean {
  if (error instanceof ApiError) return error.code === 429 || error.code >= 500;
  return error instanceof NoAnswerError;
}

/**
 * Sends until it succeeds, for a minute at the most and not before the server wants to be asked again; once more at once when
 * `signal` aborts. For requests that may be done twice.
 * @throws what can't pass, or the last of what didn't
 */
export async function retried<T>(clock: Clock, send: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const began = clock.now();
  for (let failures = 0; ; failures += 1) {
    try {
      return await send();
    } catch (error) {
      const isLast = signal.aborted || clock.now() - began >= GIVEN_UP_MS;
      if (isLast || !passes(error)) throw error;
      const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
      const retryMs = Math.max(asked, backoff(failures, FIRST_RETRY_MS, MAX_RETRY_MS, clock.random));
      await sleep(clock, Math.min(retryMs, GIVEN_UP_MS), signal);
    }
  }
}
