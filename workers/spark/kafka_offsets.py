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

    def first(self) -> dict[int, int]:
        """The oldest record that is still there."""
        return self._list(self._spec().earliest())

    def end(self) -> dict[int, int]:
        """The one after the newest record."""
        return self._list(self._spec().latest())

    def since(self, time_ms: int) -> dict[int, int]:
        """The first record that was written at this time or later; a partition that has none is left out."""
        found = self._list(self._spec().forTimestamp(time_ms))
        return {partition: offset for partition, offset in found.items() if offset >= 0}

    def _spec(self):
        return self._jvm.org.apache.kafka.clients.admin.OffsetSpec

    def _list(self, spec) -> dict[int, int]:
        topic_partition = self._jvm.org.apache.kafka.common.TopicPartition
        asked = {topic_partition(self._topic, partition): spec for partition in self._partitions()}
        found = self._admin.listOffsets(asked).all().get()
        return {entry.getKey().partition(): entry.getValue().offset() for entry in found.entrySet()}

    def _partitions(self) -> list[int]:
        found = self._admin.describeTopics([self._topic]).allTopicNames().get().get(self._topic)
        return [each.partition() for each in found.partitions()]
