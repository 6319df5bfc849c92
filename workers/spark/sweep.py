"""
Removes the users that a new epoch's snapshot no longer has: those whose row was not written at its version or later.
"""

from functools import partial
from typing import Callable, Iterable, Iterator, Mapping

from pyspark.sql import SparkSession

from cql import Target, sweep_statement
from sink import CONCURRENCY, disconnect, session_of

#: The ring in parts, each a query of its own; and rows a page of it.
PARTS, PAGE = 128, 1000
FIRST_TOKEN, LAST_TOKEN = -(2**63), 2**63 - 1


def has_reached(ends: Mapping[int, int], until: Mapping[int, int]) -> bool:
    """Whether all partitions have been applied as far as the snapshot went."""
    return all(ends.get(partition, 0) >= offset for partition, offset in until.items())


def sweep(spark: SparkSession, target: Target, below: int, beat: Callable[[], None]) -> int:
    """
    Deletes every row of a version below `below`, and says how many. A delete carries the version before that one, so it
    can't touch what was written since. Calls `beat` whenever it has come further.
    """
    cores, swept = spark.sparkContext.defaultParallelism, 0
    ranges = token_ranges(PARTS)
    for first in range(0, PARTS, step := 8 * cores):
        part = spark.sparkContext.parallelize(ranges[first : first + step], cores)
        swept += sum(part.mapPartitions(partial(sweep_ranges, target=target, below=below)).collect())
        beat()
    return swept


def token_ranges(parts: int) -> list[tuple[int, int]]:
    """The ring in so many ranges: tokens above the first bound, up to the second."""
    width = 2**64 // parts
    bounds = [FIRST_TOKEN + width * each for each in range(parts)] + [LAST_TOKEN]
    return list(zip(bounds, bounds[1:]))


def is_left_over(written: Iterable[int | None], below: int) -> bool:
    """Whether a row is older, by the versions of its columns; without a value in any it might be."""
    return max((version for version in written if version is not None), default=0) < below


def sweep_ranges(ranges: Iterable[tuple[int, int]], target: Target, below: int) -> Iterator[int]:
    """Runs on the executors. Yields how many rows were deleted. Raises the driver's error."""
    from cassandra.concurrent import execute_concurrent

    try:
        session, _, delete = session_of(target)
        select = session.prepare(sweep_statement(target))
        select.fetch_size = PAGE
        for bounds in ranges:
            found = session.execute(select, bounds)
            gone = [(delete, (below - 1, row[0])) for row in found if is_left_over(row[1:], below)]
            execute_concurrent(session, gone, concurrency=CONCURRENCY)
            yield len(gone)
    except Exception:
        disconnect()
        raise
