import type { Trace } from './topic.ts';

/** A cleaner that runs, and one that looks for old segments, do so well within this. */
const CLEANER_MS = 60 * 60_000;

/** No clock of ours reaches further. */
const FOREVER = Number(2n ** 62n);

/**
 * By when Kafka has removed the records of `traces` that hold a value, by the topic's settings, also where nobody writes
 * there any more: a segment is closed after segment.ms and goes when its newest record is older than retention.ms;
 * undefined where no setting bounds that. Compaction comes earlier, but closes no segment until the next record.
 */
export function goneBy(traces: readonly Trace[], settings: Map<string, string>): Date | undefined {
  const number = (name: string) => {
    const value = Number(settings.get(name) ?? -1);
    return value < 0 || value > FOREVER ? Number.POSITIVE_INFINITY : value;
  };
  const policies = (settings.get('cleanup.policy') ?? 'delete').split(',');
  if (!policies.includes('delete')) return undefined;
  const values = traces.filter(({ isTombstone }) => !isTombstone).map(({ at }) => at);
  const bound = Math.max(...values) + number('segment.ms') + number('retention.ms') + CLEANER_MS;
  return Number.isFinite(bound) ? new Date(bound) : undefined;
}

/**
 * Whether the newest that the topic says of the user is that there is none. Where partitions were added, older records may
 * stand in another one than that.
 */
export function endsWithTombstone(traces: readonly Trace[]): boolean {
  const newest = traces.reduce<Trace | undefined>(
    (best, trace) => (best && best.version > trace.version ? best : trace),
    undefined,
  );
  return newest?.isTombstone ?? true;
}
