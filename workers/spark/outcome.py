"""What became of the rows of a micro-batch."""

from typing import Iterable, NamedTuple

#: The one reason that the job can do something about: the schema may only not have been fetched yet.
UNKNOWN_SCHEMA = "the registry has no Avro schema with its id"


class Outcome(NamedTuple):
    upserts: int = 0
    deletes: int = 0
    unreadable: int = 0
    unknown_schemas: frozenset[int] = frozenset()


def total(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcomes of all partitions in one."""
    upserts, deletes, unreadable, unknown = 0, 0, 0, frozenset()
    for each in outcomes:
        upserts, deletes, unreadable = upserts + each.upserts, deletes + each.deletes, unreadable + each.unreadable
        unknown |= each.unknown_schemas
    return Outcome(upserts, deletes, unreadable, unknown)
