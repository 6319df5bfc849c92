import type { V1Job } from '@kubernetes/client-node';
import type { Report } from './reports.ts';

/** What workers say when something that a finished Job made is there no longer. */
const LOST = new Set([
  'SlotMissing',
  'SlotLost',
  'SlotNotProvisioned',
  'PublicationChanged',
  'ColumnMissing',
]);

/**
 * For so long a worker may go on missing what a Job has just made: it looks again after 15 s at most (workers/lib/retry.ts),
 * has 10 s to connect and waits for answers, and reports are older than the reconcile; the rest is for clocks that differ.
 */
const STALE_MS = 60_000;

/** The report that something is lost which the finished `job` made; none that may be of the time before it was done. */
export function lostAfter(job: V1Job | undefined, reports: Report[], now: Date): Report | undefined {
  const doneAt = new Date(job?.status?.completionTime ?? now);
  if (now.getTime() - doneAt.getTime() < STALE_MS) return undefined;
  return reports.find(({ reason }) => LOST.has(reason));
}
