import type { Condition } from '../api/status.ts';
import { figure, type Report, whyUnknown } from './reports.ts';

/**
 * How far apart in time what two processes say may be: the relay keeps up when each of its looks at the WAL, 6 s apart at
 * most, is passed by the next; times in conditions are whole seconds, and an answer may take one or two.
 */
const MARGIN_MS = 15_000;

/** How long nothing has been fetched, or why that isn't known. */
export type Stop = { ms: number } | { why: string };

/**
 * Nothing is fetched since the workers of this very spec, in which ingest has no pods, are as they should be.
 * @param told the condition WorkersReady as it stands
 */
export function ingestStop(told: Condition | undefined, generation: number, now: Date): Stop {
  if (told?.observedGeneration !== generation) return { why: 'ingest is being stopped' };
  if (told.status === 'True') return { ms: now.getTime() - Date.parse(told.lastTransitionTime) };
  return { why: `waits until WorkersReady is True: ${told.message || told.reason}` };
}

/**
 * What is still on its way to Cassandra after ingest has stopped, in words; undefined when everything has arrived: Spark
 * has read the topic to its end, and did so when the relay had long published all that was fetched.
 */
export function stillUnderWay(stop: Stop, reports: Report[]): string | undefined {
  if ('why' in stop) return stop.why;
  const unknown = whyUnknown(reports);
  if (unknown) return unknown;
  const publishedAgoMs = Math.min(stop.ms, figure(reports, 'relayedForMs') ?? 0) - MARGIN_MS;
  if (publishedAgoMs < 0) return 'waits until the relay has published what was fetched';
  const readAgoMs = figure(reports, 'readToEndAgoMs') ?? Number.POSITIVE_INFINITY;
  return readAgoMs <= publishedAgoMs ? undefined : 'waits until Spark has read what was published';
}
