"""
Streams again from an earlier place, or another topic from its beginning. Each replay has a checkpoint of its own; a note
beside the first one remembers which was begun last, so that a restart goes on with it and only another wish or topic
begins another.
"""

from typing import Any, Mapping, NamedTuple

from pyspark.sql import SparkSession

from checkpoint import Checkpoint, goes_back
from config import Config
from gaps import Gaps
from kafka_offsets import TopicOffsets, numbers, texts

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
    #: Of what these are the offsets; "" where that was not noted yet.
    topic_id: str = ""
    #: The pod whose driver began it, where no lock keeps others out.
    pod: str = ""

    def location(self, checkpoint: str) -> str:
        return f"{checkpoint}/replay-{self.number}" if self.number else checkpoint

    def starting_offsets(self, topic: str) -> dict | str:
        """Spark's startingOffsets, which count only where the checkpoint is empty."""
        return {topic: self.start} if self.start is not None else "earliest"


def current_generation(
    config: Config, spark: SparkSession, topic: TopicOffsets, gaps: Gaps, pod: str
) -> tuple[Generation, str]:
    """
    The generation that the driver of `pod` ("" where a lock keeps others out) is to run, and why the wish is not fulfilled,
    or "". A wish that is gone is forgotten, so that the same one counts again when it comes back. Raises what Kafka or the
    checkpoint's file system do.
    """
    root = Checkpoint(spark, config.spark.checkpoint_location)
    noted, refused = Generation(**(root.read_note(NOTE) or {})), ""
    checkpoint = Checkpoint(spark, noted.location(config.spark.checkpoint_location))
    generation = of_pod(pod, of_topic(topic, noted, checkpoint, gaps), checkpoint, topic)
    try:
        generation = _as_wished(config, spark, topic, generation)
    except ReplayRefused as error:
        refused = str(error)
    checkpoint = Checkpoint(spark, generation.location(config.spark.checkpoint_location))
    generation = with_all_partitions(generation, checkpoint, topic)
    if generation != noted:
        root.write_note(NOTE, generation._asdict())
    return generation, refused


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


def of_topic(topic: TopicOffsets, last: Generation, checkpoint: Checkpoint, gaps: Gaps) -> Generation:
    """The last generation; where the topic is another one, or has lost its end, one that reads it from its beginning."""
    topic_id = topic.id()
    is_another = last.topic_id not in ("", topic_id)
    # Asked before the topic is: it may grow, and another driver plan, meanwhile.
    planned = checkpoint.planned()
    first, end = topic.bounds()
    lost_its_end = checkpoint.shrinks() or goes_back(planned, end)
    if not is_another and not lost_its_end:
        return last._replace(topic_id=topic_id)
    # In partitions that are still the same, ends of epochs stand whose other records may be gone.
    gaps.made_anew(first if is_another else end)
    return Generation(last.number + 1, last.wish, texts(first), {}, topic_id, last.pod)


def of_pod(pod: str, last: Generation, checkpoint: Checkpoint, topic: TopicOffsets) -> Generation:
    """
    The last generation; where the driver of another pod began it, one that goes on from what that has done. What the other
    still plans, though it may not write any more, then lies where nobody looks. Where nothing was planned it is taken up.
    """
    if last.pod == pod:
        return last
    if not checkpoint.planned():
        return last._replace(pod=pod)
    reached = checkpoint.reached() or numbers(last.start or {})
    start = start_offsets({}, reached, *topic.bounds())
    return last._replace(number=last.number + 1, start=texts(start), known=texts(_known(last, reached)), pod=pod)


def with_all_partitions(generation: Generation, checkpoint: Checkpoint, topic: TopicOffsets) -> Generation:
    """Spark takes no start that lacks a partition: one that came before anything was planned is read from its beginning."""
    if generation.start is None or checkpoint.planned():
        return generation
    first, _ = topic.bounds()
    return generation._replace(start={**texts(first), **generation.start})


def _known(last: Generation, reached: Mapping[int, int]) -> dict[int, int]:
    """Where the stream has come in this generation or before."""
    return {**reached, **{each: max(offset, reached.get(each, 0)) for each, offset in numbers(last.known).items()}}


def _as_wished(config: Config, spark: SparkSession, topic: TopicOffsets, last: Generation) -> Generation:
    wish: Any = config.spark.replay_from
    if wish == last.wish or not wish:
        return last._replace(wish=wish)
    checkpoint = Checkpoint(spark, last.location(config.spark.checkpoint_location))
    reached = checkpoint.reached() or numbers(last.start or {})
    first, end = topic.bounds()
    if "offsets" in wish:
        wanted = numbers(wish["offsets"])
        check_offsets(wanted, reached, end)
    else:
        wanted = topic.since(wish["timeMs"])
    start = start_offsets(wanted, reached, first, end)
    return last._replace(
        number=last.number + 1, wish=wish, start=texts(start), known=texts(_known(last, reached))
    )
