/** How many users took no longer than each bound, in seconds; the last bound is Infinity. */
export type Histogram = readonly (readonly [bound: number, count: number])[];

/** The buckets of Prometheus' histogram `name` in an exposition. */
export function histogramOf(exposition: string, name: string): Histogram {
  const pattern = new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\S+)$`, 'gm');
  return [...exposition.matchAll(pattern)].map(([, bound, count]) => [
    bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound),
    Number(count),
  ]);
}

/** All that were counted. */
export function total(histogram: Histogram): number {
  return histogram.at(-1)?.[1] ?? 0;
}

/** What was counted between two looks at one histogram. */
export function between(before: Histogram, after: Histogram): Histogram {
  const earlier = new Map(before);
  return after.map(([bound, count]) => [bound, count - (earlier.get(bound) ?? 0)]);
}

/** The time within which a share of the users came, as Prometheus' histogram_quantile has it: even within a bucket. */
export function quantile(histogram: Histogram, share: number): number {
  const rank = share * total(histogram);
  const index = histogram.findIndex(([, count]) => count >= rank);
  const [bound = Number.NaN, count = 0] = histogram[index] ?? [];
  const [below = 0, earlier = 0] = histogram[index - 1] ?? [];
  if (!Number.isFinite(bound)) return below;
  return count === earlier ? bound : below + ((bound - below) * (rank - earlier)) / (count - earlier);
}
