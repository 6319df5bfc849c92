"""What Spark's own logs in a checkpoint say, and a small note beside them; on whatever file system Hadoop knows."""

import json
from typing import Any, Mapping

from pyspark.sql import SparkSession

from kafka_offsets import numbers


class Checkpoint:
    """A checkpoint's directory. Raises what Hadoop's file system does."""

    def __init__(self, spark: SparkSession, location: str):
        self._session, self._location = spark._jsparkSession, location
        self._jvm: Any = spark._jvm

    def batch_end(self, batch_id: int) -> dict[int, int]:
        """The offsets at which the batch ends, of every partition of the topic; it must have been planned."""
        log = self._log("OffsetSeqLog", "offsets")
        (offsets,) = json.loads(log.get(batch_id).get().offsets().apply(0).get().json()).values()
        return numbers(offsets)

    def batch_start(self, batch_id: int) -> dict[int, int]:
        """The offsets at which the one before it ends; none where it is the first."""
        return self.batch_end(batch_id - 1) if batch_id else {}

    def reached(self) -> dict[int, int]:
        """Before which offset of each partition all has been processed; nothing where no batch ever ended."""
        return self._end_of_last("CommitLog", "commits")

    def planned(self) -> dict[int, int]:
        """The offsets at which the batch ends that was planned last; nothing where none was."""
        return self._end_of_last("OffsetSeqLog", "offsets")

    def shrinks(self) -> bool:
        """Whether the batch that was planned last goes back, because a partition had become shorter than what was read of it."""
        last = self._last("OffsetSeqLog", "offsets")
        return last is not None and goes_back(self.batch_start(last), self.batch_end(last))

    def read_note(self, name: str) -> dict | None:
        """The note of that name, or None where there is none."""
        path = self._path(name)
        if not self._files().exists(path):
            return None
        stream = self._files().open(path)
        try:
            return json.loads(self._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8"))
        finally:
            stream.close()

    def write_note(self, name: str, note: dict) -> None:
        """Writes the note in one stroke: a crash leaves the former one or this one."""
        stream = self._files().createAtomic(self._path(name), True)
        try:
            stream.write(bytearray(json.dumps(note).encode()))
            stream.close()
        except BaseException:
            stream.cancel()
            raise

    def _end_of_last(self, kind: str, directory: str) -> dict[int, int]:
        last = self._last(kind, directory)
        return {} if last is None else self.batch_end(last)

    def _last(self, kind: str, directory: str) -> int | None:
        last = self._log(kind, directory).getLatestBatchId()
        return last.get() if last.isDefined() else None

    def _log(self, kind: str, directory: str):
        logs = self._jvm.org.apache.spark.sql.execution.streaming
        return getattr(logs, kind)(self._session, f"{self._location}/{directory}")

    def _path(self, name: str):
        return self._jvm.org.apache.hadoop.fs.Path(self._location, name)

    def _files(self):
        """Spark's own way to a checkpoint's files. It makes the directory, which a new checkpoint lacks."""
        conf = self._session.sessionState().newHadoopConf()
        root = self._jvm.org.apache.hadoop.fs.Path(self._location)
        manager = self._jvm.org.apache.spark.sql.execution.streaming.CheckpointFileManager.create(root, conf)
        manager.mkdirs(root)
        return manager


def goes_back(start: Mapping[int, int], end: Mapping[int, int]) -> bool:
    """Whether a partition ends before `start`, as Spark plans it where Kafka has lost the partition's end."""
    return any(offset < start.get(partition, 0) for partition, offset in end.items())
