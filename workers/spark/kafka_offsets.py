"""Asks Kafka which offsets a topic has. Spark's own Kafka client is used, with the options that the source gets."""

from typing import Any, Mapping

from pyspark.sql import SparkSession

PREFIX = "kafka."


class TopicOffsets:
    """The offsets of a topic's partitions, by partition. Raises the client's error where Kafka doesn't answer."""

    def __init__(self, spark: SparkSession, options: Mapping[str, str], topic: str):
        self._jvm: Any = spark._jvm
        self._topic = topic
        settings = {name.removeprefix(PREFIX): value for name, value in options.items() if name.startswith(PREFIX)}
        self._admin = self._jvm.org.apache.kafka.clients.admin.AdminClient.create(settings)

    def __enter__(self) -> "TopicOffsets":
        return self

    def __exit__(self, *_error: object) -> None:
        self._admin.close()

    def id(self) -> str:
        """Which topic of this name it is: one that is made anew has another id."""
        return self._description().topicId().toString()

    def bounds(self) -> tuple[dict[int, int], dict[int, int]]:
        """The oldest record that is still there, and the one after the newest."""
        partitions = self._partitions()
        return self._list(partitions, self._spec().earliest()), self._list(partitions, self._spec().latest())

    def since(self, time_ms: int) -> dict[int, int]:
        """The first record that was written at this time or later; a partition that has none is left out."""
        found = self._list(self._partitions(), self._spec().forTimestamp(time_ms))
        return {partition: offset for partition, offset in found.items() if offset >= 0}

    def _spec(self):
        return self._jvm.org.apache.kafka.clients.admin.OffsetSpec

    def _partitions(self) -> list[int]:
        return [each.partition() for each in self._description().partitions()]

    def _list(self, partitions: list[int], spec) -> dict[int, int]:
        topic_partition = self._jvm.org.apache.kafka.common.TopicPartition
        asked = {topic_partition(self._topic, each): spec for each in partitions}
        found = self._admin.listOffsets(asked).all().get()
        return {entry.getKey().partition(): entry.getValue().offset() for entry in found.entrySet()}

    def _description(self):
        return self._admin.describeTopics([self._topic]).allTopicNames().get().get(self._topic)


# JSON has no whole numbers for keys.
def numbers(by_partition: Mapping[str, Any]) -> dict[int, Any]:
    """What a note has by partition, by number."""
    return {int(partition): value for partition, value in by_partition.items()}


def texts(offsets: Mapping[int, int]) -> dict[str, int]:
    """Offsets by partition as a note has them."""
    return {str(partition): offset for partition, offset in sorted(offsets.items())}
