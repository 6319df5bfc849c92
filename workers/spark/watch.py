"""Looks, behind each batch, whether all of it was there to be read."""

from typing import Mapping

from checkpoint import Checkpoint, goes_back
from gaps import Gaps
from kafka_offsets import TopicOffsets, numbers
from replay import Generation
from sweep import has_reached


class LogReplaced(Exception):
    """The topic isn't the one, or not as long as the one, that was read before: it must be read from its beginning."""


class Watch:
    """
    Watches one generation of the stream, whose checkpoint this is. With failOnDataLoss off, Spark passes over what is no
    longer there without a word. Raises what Kafka and the checkpoint's file system do.
    """

    def __init__(self, checkpoint: Checkpoint, generation: Generation, topic: TopicOffsets, gaps: Gaps):
        self._checkpoint, self._generation, self._topic, self._gaps = checkpoint, generation, topic, gaps

    def start(self) -> None:
        """Notes what was removed while nobody read: where nothing is left, no batch comes by which it would show."""
        first, _ = self._topic.bounds()
        self._compare(self._checkpoint.reached(), first)

    def topic(self) -> None:
        """Raises LogReplaced where the topic is another one. Without a batch that shows only here: both may end alike."""
        if self._topic.id() != self._generation.topic_id:
            raise LogReplaced("the topic was made anew")

    def batch(self, batch_id: int) -> None:
        """
        Notes what was removed before this batch could read it. To be asked once it has read: what is still there then
        was there before. Raises LogReplaced, after which the batch must not be committed.
        """
        self.topic()
        start, end = self._checkpoint.batch_start(batch_id), self._checkpoint.batch_end(batch_id)
        first, topic_end = self._topic.bounds()
        # A batch that was planned before the end was lost reads as far as there is something, without a word.
        if goes_back(start, end) or goes_back(end, topic_end):
            raise LogReplaced("the topic has lost the end of a partition")
        self._compare(start, first)

    def has_snapshot(self, batch_id: int, start: Mapping[int, int], end: Mapping[int, int]) -> bool:
        """Whether with this batch, which was looked at, all records of the snapshot between these offsets were applied."""
        is_of_one_log = not goes_back(start, end)
        reached = has_reached(self._checkpoint.batch_end(batch_id), end)
        return is_of_one_log and reached and self._gaps.are_behind(start)

    def repaired(self) -> None:
        """To be told when who isn't in a whole snapshot was removed."""
        self._gaps.repaired()

    def _compare(self, reached: Mapping[int, int], first: Mapping[int, int]) -> None:
        known = numbers(self._generation.known)
        read = {each: max(reached.get(each, 0), known.get(each, 0)) for each in {*reached, *known}}
        self._gaps.removed(read, first)
