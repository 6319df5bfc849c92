import { setTimeout as sleep } from 'node:timers/promises';

export type WaitOptions = { seconds: number; everyMs?: number; explain?: () => Promise<string> | string };

/**
 * Asks `check` again and again until it answers something other than undefined or false, and answers that.
 * An error that `check` throws is an answer of "not yet". Past the deadline it throws, with the last error and `explain`.
 */
export async function waitFor<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  { seconds, everyMs = 300, explain = () => '' }: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await check();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    await sleep(everyMs);
  }
  const why = last instanceof Error ? `\n${last.message}` : '';
  throw new Error(`waited ${seconds} s for ${what}, in vain${why}\n${await explain()}`.trim());
}
