import { figure, type Report } from './reports.ts';

/**
 * How far apart in time what two processes say may be: the relay keeps up when each of its looks at the WAL, 6 s apart at
 * most, is passed by the next; times in conditions are whole seconds, and an answer may take one or two.
 */
const MARGIN_MS = 15_000;

/**
 * What is still on its way to Cassandra after ingest has stopped, in words; undefined when everything has arrived: Spark
 * has read the topic to its end, and did so when the relay had long published all that was fetched.
 * @param stoppedMs how long nothing has been fetched; undefined while ingest runs
 */
export function stillUnderWay(stoppedMs: number | undefined, reports: Report[]): string | undefined {
  if (stoppedMs === undefined) return 'ingest is being stopped';
  const publishedAgoMs = Math.min(stoppedMs, figure(reports, 'relayedForMs') ?? 0) - MARGIN_MS;
  if (publishedAgoMs < 0) return 'waits until the relay has published what was fetched';
  const readAgoMs = figure(reports, 'readToEndAgoMs') ?? Number.POSITIVE_INFINITY;
  return readAgoMs <= publishedAgoMs ? undefined : 'waits until Spark has read what was published';
}
