"""The job's figures: for Prometheus and for /readyz."""

import time
from collections import deque
from datetime import datetime
from itertools import accumulate
from typing import Any, Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import HistogramMetricFamily

from latency import BOUNDS, Latencies, quantile, together
from outcome import Outcome


class Metrics:
    """
    Counts what batches did and shows the progress that Spark reports. `clock` gives seconds, never back; `wall` those
    since 1970.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ):
        def counter(name: str, text: str) -> Counter:
            return Counter(f"userstream_spark_{name}", text, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"userstream_spark_{name}", text, registry=registry)

        self._clock, self._wall, self._rows, self._batch_ms = clock, wall, 0, 0.0
        self._rate, self._behind, self._read_to_end = 0.0, 0.0, None
        #: When each batch ended, how many users it wrote or deleted and how long they took, the oldest first.
        self._recent: deque[tuple[float, int, Latencies]] = deque()
        self._latency_figures: dict[str, float] = {}
        self._latencies = LatencyHistogram(registry)
        self._upserts = counter("upserts", "Rows written to Cassandra")
        self._deletes = counter("deletes", "Rows deleted in Cassandra")
        self._dead_letters = counter("dead_letters", "Records put aside in the dead-letter topic")
        self._noted = 0
        self._skipped = counter("skipped_records", "Records that Kafka had removed before they were read")
        self._swept = counter("swept", "Rows removed because a new epoch's snapshot no longer has their users")
        self._restarts = counter("query_restarts", "Times the streaming query was started again after a fault")
        self._input = gauge("input_rows_per_second", "Records that arrived per second")
        self._processed = gauge("processed_rows_per_second", "Records processed per second")
        self._duration = gauge("batch_duration_seconds", "How long the last micro-batch took")
        self._lag = gauge("offsets_behind_latest", "Records in Kafka that are still to be read")

    def count(self, outcome: Outcome) -> None:
        """Adds what one batch did."""
        rows = outcome.upserts + outcome.deletes
        self._rows += rows
        now = self._clock()
        self._recent.append((now, rows, outcome.latencies))
        while self._recent[0][0] < now - 60:
            self._recent.popleft()
        self._time(outcome.latencies)
        self._upserts.inc(outcome.upserts)
        self._deletes.inc(outcome.deletes)
        self._dead_letters.inc(outcome.dead_letters)

    def skipped(self, noted: int) -> None:
        """Shows how many records are noted as removed unread, by an earlier process too; 0 once that was repaired."""
        self._skipped.inc(max(0, noted - self._noted))
        self._noted = noted

    def swept(self, rows: int) -> None:
        self._swept.inc(rows)

    def restarted(self) -> None:
        self._restarts.inc()

    def progress(self, progress: Mapping[str, Any]) -> None:
        """Shows Spark's StreamingQueryProgress."""
        self._rate, self._behind = number(progress.get("inputRowsPerSecond")), lag_of(progress)
        if reads_to_end(progress):
            self._read_to_end = self._clock() - self._age(progress)
        self._input.set(self._rate)
        self._lag.set(self._behind)
        if progress.get("numInputRows"):
            # An idle look at Kafka is no batch: its duration would hide that of the last one.
            self._batch_ms = number(progress.get("durationMs", {}).get("triggerExecution"))
            self._duration.set(self._batch_ms / 1000)
            self._processed.set(number(progress.get("processedRowsPerSecond")))

    def figures(self) -> dict[str, float]:
        """The figures of /readyz, as they are now."""
        figures = {
            "inputRowsPerSecond": self._rate,
            "batchDurationMs": self._batch_ms,
            "rows": self._rows,
            "usersPerMinute": self._last_minute(),
            "lag": self._behind,
            **self._latency_figures,
        }
        if self._read_to_end is None:
            return figures
        return figures | {"readToEndAgoMs": round((self._clock() - self._read_to_end) * 1000)}

    def _age(self, progress: Mapping[str, Any]) -> float:
        """For how many seconds the trigger has begun: as long as it took at least, also where the time of day was set back."""
        took = number(progress.get("durationMs", {}).get("triggerExecution")) / 1000
        return max(took, self._wall() - looked_at(progress))

    def _last_minute(self) -> int:
        since = self._clock() - 60
        return sum(rows for at, rows, _ in list(self._recent) if at >= since)

    def _time(self, latencies: Latencies) -> None:
        """The figures stay those of the last minute in which users arrived."""
        self._latencies.add(latencies)
        if any(latencies.counts):
            minute = together(each for *_, each in self._recent)
            shares = {"latencyP50Ms": 0.5, "latencyP99Ms": 0.99}
            self._latency_figures = {name: round(1000 * (quantile(minute, of) or 0)) for name, of in shares.items()}


class LatencyHistogram:
    """From Postgres' commit until Cassandra's acknowledgement; the library's own can't add what others counted."""

    def __init__(self, registry: CollectorRegistry):
        self._all = Latencies()
        registry.register(self)

    def add(self, latencies: Latencies) -> None:
        self._all = together([self._all, latencies])

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """What Prometheus reads; each bucket holds those below it, too."""
        bounds = [*map(str, map(float, BOUNDS)), "+Inf"]
        text = "Seconds from a user's commit in Postgres until it can be read in Cassandra"
        histogram = HistogramMetricFamily("userstream_spark_latency_seconds", text)
        histogram.add_metric([], [*zip(bounds, accumulate(self._all.counts))], self._all.seconds)
        yield histogram


def lag_of(progress: Mapping[str, Any]) -> float:
    """Records between the end of the topic and what the query has read, over all partitions."""
    return sum(_behind(source) for source in progress.get("sources", []))


def reads_to_end(progress: Mapping[str, Any]) -> bool:
    """Whether all that the topic held at this look has been processed; False where Spark doesn't know."""
    ends = [(source.get("endOffset"), source.get("latestOffset")) for source in progress.get("sources", [])]
    return bool(ends) and all(isinstance(latest, dict) and end == latest for end, latest in ends)


def looked_at(progress: Mapping[str, Any]) -> float:
    """When the trigger began, which is before it asked Kafka for its end: seconds since 1970."""
    return datetime.fromisoformat(progress["timestamp"]).timestamp()


def _behind(source: Mapping[str, Any]) -> int:
    ends, latest = source.get("endOffset"), source.get("latestOffset")
    if not isinstance(ends, dict) or not isinstance(latest, dict):
        return 0
    return sum(
        max(0, offset - ends.get(topic, {}).get(partition, 0))
        for topic, partitions in latest.items()
        for partition, offset in partitions.items()
    )


def number(value: Any) -> float:
    """Spark leaves out what it can't divide."""
    return round(float(value), 3) if isinstance(value, (int, float)) else 0.0
