import { setTimeout as sleepFor } from 'node:timers/promises';
import { ConfigError } from './config.ts';
import { type Health, StageError } from './health.ts';
import type { Logger } from './logging.ts';

export type RetryContext = {
  health: Health;
  log: Logger;
  signal: AbortSignal;
  maxDelayMs?: number;
};

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 15_000;

/**
 * Calls `attempt` until it succeeds, backing off with jitter; each failure is logged and told to `health`.
 * A failure after `signal` aborted is not tried again.
 * @throws the signal's AbortError, or the ConfigError of an attempt: nothing else.
 */
export async function untilDone<T>(attempt: () => Promise<T>, context: RetryContext): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    context.signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      context.signal.throwIfAborted();
      const { stage, reason, message, retryAfterMs } = asStageError(error);
      const waitMs = Math.max(retryAfterMs ?? 0, backoffMs(failures, context.maxDelayMs ?? MAX_DELAY_MS));
      context.health.notReady(stage, reason, message);
      context.log.warn({ stage, reason, waitMs, err: error }, message);
      await sleep(waitMs, context.signal);
    }
  }
}

/** The pause after failure number `failures` (from 0): doubling up to `maxMs`, half of it left to chance. */
export function backoffMs(failures: number, maxMs: number, random: () => number = Math.random): number {
  const ceiling = Math.min(maxMs, FIRST_DELAY_MS * 2 ** Math.min(failures, 20));
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}

/** A timer runs out at once where it is set to more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Waits, however long. @throws the signal's AbortError as soon as `signal` aborts. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  let restMs = ms;
  for (; restMs > LONGEST_TIMER_MS; restMs -= LONGEST_TIMER_MS)
    await sleepFor(LONGEST_TIMER_MS, undefined, { signal });
  await sleepFor(restMs, undefined, { signal });
}

/** True for the error that an aborted signal leaves behind. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function asStageError(error: unknown): StageError {
  if (error instanceof StageError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new StageError('Worker', 'UnexpectedError', message, { cause: error });
}
