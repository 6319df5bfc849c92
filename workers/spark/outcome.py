"""What became of the rows of a micro-batch."""

from functools import reduce
from typing import Iterable, NamedTuple

from latency import Latencies, together

# Reasons why a record is not written that the job can do something about; all others only make it a dead letter.
#: The schema may only not have been fetched yet.
UNKNOWN_SCHEMA = "the registry has no Avro schema with its id"
#: No user at all: the relay's mark behind the snapshot of a new epoch.
EPOCH_END = "it ends the snapshot of an epoch"
#: Users, but none that can be written.
SQL_THROWS = "spark.sql throws an error on it: "
TOO_LARGE = "with the columns that spark.sql makes of it, it is larger than the 16 MiB that Cassandra takes"


class Refusal(NamedTuple):
    """A readable record that Cassandra does not take, and why."""

    id: str
    version: int
    reason: str


class Outcome(NamedTuple):
    upserts: int = 0
    deletes: int = 0
    unreadable: int = 0
    epoch_ends: int = 0
    unknown_schemas: frozenset[int] = frozenset()
    refused: tuple[Refusal, ...] = ()
    latencies: Latencies = Latencies()

    @property
    def dead_letters(self) -> int:
        return self.unreadable + len(self.refused)


def total(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcomes of all partitions in one."""
    return reduce(_both, outcomes, Outcome())


def _both(one: Outcome, other: Outcome) -> Outcome:
    return Outcome(
        one.upserts + other.upserts,
        one.deletes + other.deletes,
        one.unreadable + other.unreadable,
        one.epoch_ends + other.epoch_ends,
        one.unknown_schemas | other.unknown_schemas,
        one.refused + other.refused,
        together([one.latencies, other.latencies]),
    )
