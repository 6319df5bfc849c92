"""
What Kafka removed from the topic before it was read. A note beside the checkpoint tells of it until a new epoch, whose
snapshot began behind it, has sent every user again.
"""

from typing import Mapping, NamedTuple

from checkpoint import Checkpoint
from kafka_offsets import numbers
from log import Log
from metrics import Metrics

NOTE = "skipped.json"
#: Partitions that the message names; a topic may have a thousand.
NAMED = 10


class Gap(NamedTuple):
    """What a partition lacks."""

    #: The offset behind the last record that was removed unread.
    before: int
    #: Offsets that were passed over: so many records, or less where compaction had been at work. 0: nobody knows.
    records: int


class Gaps:
    """
    The gaps of `topic` that are noted in `root`, the stream's first checkpoint. Raises what Hadoop's file system does; a
    gap counts once its note is written.
    """

    def __init__(self, root: Checkpoint, topic: str, metrics: Metrics, log: Log):
        self._root, self._topic, self._metrics, self._log = root, topic, metrics, log
        self._gaps = {partition: Gap(*gap) for partition, gap in numbers(root.read_note(NOTE) or {}).items()}
        self._count()

    def removed(self, read: Mapping[int, int], first: Mapping[int, int]) -> None:
        """Takes in that each partition begins at `first`, of which what lies before `read` was read."""
        self._note(widened(self._gaps, read, first))

    def made_anew(self, before: Mapping[int, int]) -> None:
        """Takes in that nobody knows what was not read of what the topic held, and that only snapshots from here on are whole."""
        self._note({partition: Gap(offset, 0) for partition, offset in before.items()})

    def are_behind(self, start: Mapping[int, int]) -> bool:
        """Whether a snapshot that began at these offsets has all of its records, as far as they weren't removed since."""
        return all(start.get(partition, 0) >= gap.before for partition, gap in self._gaps.items())

    def repaired(self) -> None:
        """Takes in that such a snapshot has been applied, and who isn't in it is gone."""
        self._note({})

    def message(self) -> str:
        """What is to be told of the gaps, with the way out; "" where there are none."""
        if not self._gaps:
            return ""
        named = [words(partition, gap) for partition, gap in sorted(self._gaps.items())]
        more = [f"and {len(named) - NAMED} partitions more"] if len(named) > NAMED else []
        return (
            f"records of the topic {self._topic} were removed before they were read ({', '.join(named[:NAMED] + more)}): users "
            "whose last change was among them may be missing, outdated or not deleted in Cassandra; send all users again, as "
            "docs/runbooks/relay.md says"
        )

    def _note(self, gaps: dict[int, Gap]) -> None:
        if gaps != self._gaps:
            self._root.write_note(NOTE, gaps)
            self._gaps = gaps
            self._count()
            self._log.warn(self.message() or "what was removed unread has been made up for by a new epoch")

    def _count(self) -> None:
        self._metrics.skipped(sum(max(1, gap.records) for gap in self._gaps.values()))


def widened(gaps: Mapping[int, Gap], read: Mapping[int, int], first: Mapping[int, int]) -> dict[int, Gap]:
    """The gaps, with what lies before `first` and was neither read nor is part of them already."""
    wider = dict(gaps)
    for partition, offset in first.items():
        gap = gaps.get(partition, Gap(0, 0))
        missing = offset - max(read.get(partition, 0), gap.before)
        if missing > 0:
            wider[partition] = Gap(offset, gap.records + missing)
    return wider


def words(partition: int, gap: Gap) -> str:
    """A gap as the message tells of it."""
    count = f"{gap.records}" if gap.records else "an unknown number"
    return f"{count} of partition {partition} before offset {gap.before}"
