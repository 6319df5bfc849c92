"""The job's figures: for Prometheus and for /readyz."""

import time
from collections import deque
from datetime import datetime
from typing import Any, Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from outcome import Outcome


class Metrics:
    """Counts what batches did and shows the progress that Spark reports. `clock` gives seconds since 1970."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time.time):
        def counter(name: str, text: str) -> Counter:
            return Counter(f"userstream_spark_{name}", text, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"userstream_spark_{name}", text, registry=registry)

        self._clock, self._rows, self._batch_ms = clock, 0, 0.0
        self._rate, self._behind, self._read_to_end = 0.0, 0.0, None
        #: When each batch ended and how many users it wrote or deleted, the oldest first.
        self._recent: deque[tuple[float, int]] = deque()
        self._upserts = counter("upserts", "Rows written to Cassandra")
        self._deletes = counter("deletes", "Rows deleted in Cassandra")
        self._dead_letters = counter("dead_letters", "Records put aside in the dead-letter topic")
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
        self._recent.append((now, rows))
        while self._recent[0][0] < now - 60:
            self._recent.popleft()
        self._upserts.inc(outcome.upserts)
        self._deletes.inc(outcome.deletes)
        self._dead_letters.inc(outcome.unreadable)

    def restarted(self) -> None:
        self._restarts.inc()

    def progress(self, progress: Mapping[str, Any]) -> None:
        """Shows Spark's StreamingQueryProgress."""
        self._rate, self._behind = number(progress.get("inputRowsPerSecond")), lag_of(progress)
        self._read_to_end = looked_at(progress) if reads_to_end(progress) else self._read_to_end
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
        }
        if self._read_to_end is None:
            return figures
        return figures | {"readToEndAgoMs": max(0, round((self._clock() - self._read_to_end) * 1000))}

    def _last_minute(self) -> int:
        since = self._clock() - 60
        return sum(rows for at, rows in list(self._recent) if at >= since)


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
