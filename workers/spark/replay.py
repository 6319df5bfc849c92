"""
Streams again from an earlier place. Each replay has a checkpoint of its own; a note beside the first one remembers
which replay was begun last, so that a restart goes on with it and only another wish begins another.
"""

from typing import Any, Mapping, NamedTuple

from pyspark.sql import SparkSession

from checkpoint import Checkpoint
from config import Config
from kafka_offsets import TopicOffsets

NOTE = "replay.json"
ANNOTATION = "userstream.dev/replay-from"


class ReplayRefused(Exception):
    """A wish that this topic can't fulfil; the message names the value and the way out."""


class Generation(NamedTuple):
    """One life of the stream, from where it began. The first one begins where the topic does, and has no `start`."""

    number: int = 0
    #: What was asked for when it began, or since.
    wish: dict | None = None
    start: dict[str, int] | None = None
    #: Where the stream had come before: what lies below has been readable already.
    known: dict[str, int] = {}

    def location(self, checkpoint: str) -> str:
        return f"{checkpoint}/replay-{self.number}" if self.number else checkpoint

    def starting_offsets(self, topic: str) -> dict | str:
        """Spark's startingOffsets, which count only where the checkpoint is empty."""
        return {topic: self.start} if self.start is not None else "earliest"


def current_generation(config: Config, spark: SparkSession, options: Mapping[str, str]) -> tuple[Generation, str]:
    """
    The generation to run, and why the wish is not fulfilled, or "". A wish that is gone is forgotten, so that the same
    one counts again when it comes back. Raises what Kafka or the checkpoint's file system do.
    """
    location, wish = config.spark.checkpoint_location, config.spark.replay_from
    root = Checkpoint(spark, location)
    last = Generation(**(root.read_note(NOTE) or {}))
    if wish == last.wish:
        return last, ""
    try:
        generation = _next(config, spark, options, last) if wish else last._replace(wish=None)
    except ReplayRefused as refused:
        return last, str(refused)
    root.write_note(NOTE, generation._asdict())
    return generation, ""


def start_offsets(
    wanted: Mapping[int, int], reached: Mapping[int, int], first: Mapping[int, int], end: Mapping[int, int]
) -> dict[int, int]:
    """
    Where each partition begins: where it is wanted to, or where the stream stands. Never behind that, for what is
    skipped would be lost, and never before the first record that is left.
    """
    stands = {
        partition: reached[partition] if start <= reached.get(partition, -1) <= end[partition] else start
        for partition, start in first.items()
    }
    return {
        partition: max(first[partition], min(wanted.get(partition, position), position))
        for partition, position in stands.items()
    }


def check_offsets(wanted: Mapping[int, int], reached: Mapping[int, int], end: Mapping[int, int]) -> None:
    """Raises ReplayRefused where `wanted` names a partition that isn't there or an offset that isn't in the past."""
    for partition, offset in sorted(wanted.items()):
        if partition not in end:
            raise ReplayRefused(
                f"{ANNOTATION}: there is no partition {partition}; the topic has 0 to {max(end)}: name only those"
            )
        stands = min(reached.get(partition, 0), end[partition])
        if offset > stands:
            raise ReplayRefused(
                f"{ANNOTATION}: offset {offset} of partition {partition} is ahead of the stream, which stands at "
                f"{stands}: nothing is ever skipped; name an offset up to that"
            )


def _next(config: Config, spark: SparkSession, options: Mapping[str, str], last: Generation) -> Generation:
    wish: Any = config.spark.replay_from
    reached = Checkpoint(spark, last.location(config.spark.checkpoint_location)).reached() or _numbers(last.start or {})
    with TopicOffsets(spark, options, config.kafka.topic) as topic:
        first, end = topic.first(), topic.end()
        if "offsets" in wish:
            wanted = _numbers(wish["offsets"])
            check_offsets(wanted, reached, end)
        else:
            wanted = topic.since(wish["timeMs"])
    known = {**reached, **{each: max(offset, reached.get(each, 0)) for each, offset in _numbers(last.known).items()}}
    return Generation(last.number + 1, wish, _texts(start_offsets(wanted, reached, first, end)), _texts(known))


# JSON has no whole numbers for keys.
def _numbers(offsets: Mapping[str, int]) -> dict[int, int]:
    return {int(partition): offset for partition, offset in offsets.items()}


def _texts(offsets: Mapping[int, int]) -> dict[str, int]:
    return {str(partition): offset for partition, offset in sorted(offsets.items())}
