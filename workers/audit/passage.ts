import { StageError } from '../lib/health.ts';
import { sleep } from '../lib/retry.ts';
import { isPublished, type Query, walEnd } from '../lib/wal.ts';
import type { SparkDriver } from './driver.ts';

const POLL_MS = 1000;

type Stream = {
  query: Query;
  slot: string;
  driver: Pick<SparkDriver, 'readToEndAgoMs'>;
  /** How long it may take. */
  timeoutMs: number;
  signal: AbortSignal;
};

/**
 * Resolves once all that was committed in Postgres before the call stands in Cassandra, or in the dead letters: the
 * relay has had Kafka's acknowledgement for it, and Spark has then read the topic to its end.
 * @throws {StageError} StreamBehind when that takes too long
 */
export async function streamHasPassed({ query, slot, driver, timeoutMs, signal }: Stream): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const end = await walEnd(query);
  await until('the relay has published', () => isPublished(query, slot, end), deadline, signal);
  const published = performance.now();
  await until('Spark has read', () => hasReadSince(driver, published), deadline, signal);
}

/**
 * Whether all that stood in the topic at `moment`, of performance.now(), stands in Cassandra, or in the dead letters. Asked
 * before the answer, so that what Spark says to be so long ago was no earlier.
 */
export async function hasReadSince(driver: Stream['driver'], moment: number): Promise<boolean> {
  const asked = performance.now();
  const agoMs = await driver.readToEndAgoMs();
  return agoMs !== undefined && asked - agoMs >= moment;
}

async function until(what: string, check: () => Promise<boolean>, deadline: number, signal: AbortSignal) {
  while (!(await check())) {
    if (performance.now() > deadline) {
      throw new StageError(
        'Worker',
        'StreamBehind',
        `it waits until ${what} what stands in Postgres; see the pipeline's lag and its other conditions`,
      );
    }
    await sleep(POLL_MS, signal);
  }
}
