"""How long users took from their commit in Postgres until they could be read in Cassandra."""

from bisect import bisect_left
from itertools import accumulate
from typing import Iterable, NamedTuple

#: Upper bounds of the histogram's buckets, in seconds; the last bucket has none.
BOUNDS = (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 15, 30, 60, 300, 3600)


class Latencies(NamedTuple):
    """A histogram: how many users fell into each bucket, and the seconds of all of them together."""

    counts: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)
    seconds: float = 0.0


def measured(committed_ms: Iterable[int | None], readable_ms: float) -> Latencies:
    """The latencies of users that became readable at once; one without a commit time isn't counted."""
    counts, seconds = [0] * (len(BOUNDS) + 1), 0.0
    for committed in committed_ms:
        if committed is not None:
            # Two machines' clocks: one that is ahead must not make time run backwards.
            latency = max(0.0, (readable_ms - committed) / 1000)
            counts[bisect_left(BOUNDS, latency)] += 1
            seconds += latency
    return Latencies(tuple(counts), seconds)


def together(histograms: Iterable[Latencies]) -> Latencies:
    """All of them in one."""
    histograms = list(histograms)
    counts = (sum(column) for column in zip(*(each.counts for each in histograms)))
    return Latencies(tuple(counts), sum(each.seconds for each in histograms)) if histograms else Latencies()


def quantile(latencies: Latencies, share: float) -> float | None:
    """
    The seconds within which this share of the users arrived, as Prometheus' histogram_quantile reckons: evenly spread
    within a bucket, and no longer than the last bound. None where there are no users.
    """
    rank = share * sum(latencies.counts)
    if rank == 0:
        return None
    reached = [*accumulate(latencies.counts)]
    bucket = bisect_left(reached, rank)
    if bucket == len(BOUNDS):
        return float(BOUNDS[-1])
    below = BOUNDS[bucket - 1] if bucket else 0.0
    before = reached[bucket] - latencies.counts[bucket]
    return below + (BOUNDS[bucket] - below) * (rank - before) / latencies.counts[bucket]
