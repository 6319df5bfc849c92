import type { Trace } from './topic.ts';

/** A cleaner that runs, and one that looks for old segments, do so well within this. */
const CLEANER_MS = 60 * 60_000;

/** No clock of ours reaches further. */
const FOREVER = Number(2n ** 62n);

/**
 * By when Kafka has removed the records of `traces` that hold a value, by the topic's settings; undefined where no
 * setting bounds that. By deletion: a segment is closed after segment.ms and goes when its newest record is older than
 * retention.ms. By compaction: max.compaction.lag.ms after the tombstone, which comes after them all.
 */
export function goneBy(traces: readonly Trace[], settings: Map<string, string>): Date | undefined {
  const number = (name: string) => {
    const value = Number(settings.get(name) ?? -1);
    return value < 0 || value > FOREVER ? Number.POSITIVE_INFINITY : value;
  };
  const policies = (settings.get('cleanup.policy') ?? 'delete').split(',');
  const values = traces.filter(({ isTombstone }) => !isTombstone).map(({ at }) => at);
  const tombstones = traces.filter(({ isTombstone }) => isTombstone).map(({ at }) => at);
  const deleted = Math.max(...values) + number('segment.ms') + number('retention.ms');
  const compacted = Math.max(...tombstones) + number('max.compaction.lag.ms');
  const bounds = [
    ...(policies.includes('delete') ? [deleted] : []),
    ...(policies.includes('compact') && tombstones.length > 0 ? [compacted] : []),
  ];
  const bound = Math.min(...bounds) + CLEANER_MS;
  return Number.isFinite(bound) ? new Date(bound) : undefined;
}

/** Whether the last that the topic says of the user, in whichever partition, is that there is none. */
export function endsWithTombstone(traces: readonly Trace[]): boolean {
  const last = Map.groupBy(traces, ({ partition }) => partition);
  return [...last.values()].every((records) => records.at(-1)?.isTombstone === true);
}
