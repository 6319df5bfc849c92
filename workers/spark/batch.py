"""One micro-batch: decode, apply the SQL, write, put aside what can't be, remove what a new epoch no longer has."""

import os
from functools import partial
from typing import Callable, Iterable, Mapping

from pyspark import RDD
from pyspark.serializers import UTF8Deserializer
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from apply import FAULT, apply_sql
from config import Config
from cql import Target
from decode import read_records
from kafka_offsets import numbers
from kafka_options import letter_options
from metrics import Metrics
from outcome import EPOCH_END, SQL_THROWS, Outcome, Refusal, total
from registry import RegistryClient, Schema
from replay import Generation
from schema import require_fields
from sink import write_partition
from sweep import sweep
from watch import Watch
from wire import HEAD, line_expression

#: What a dead letter tells of its record.
LETTER = ("id", "version", "reason", "schema_id", "key", "value", "headers", "topic", "partition", "offset")
#: A letter of more bytes than this goes without its value where the topic doesn't take it.
LARGE_LETTER = 512 * 1024
TOO_LARGE = "RecordTooLargeException"


class StaleSchema(Exception):
    """The subject has a newer schema than the query was planned for: it must be planned again."""


class Closed(Exception):
    """No batch begins any more."""


class Batches:
    """
    What the streaming query calls with each batch. Every effect is idempotent, so a batch that fails anywhere is
    simply run again. Raises on whatever a retry may heal.
    """

    def __init__(
        self,
        config: Config,
        registry: RegistryClient,
        reader: Schema,
        target: Target,
        metrics: Metrics,
        generation: Generation,
        watch: Watch,
        beat: Callable[[], None],
        require_tenure: Callable[[], None],
    ):
        self._config, self._registry, self._reader, self._target = config, registry, reader, target
        self._metrics, self._generation, self._watch, self._beat = metrics, generation, watch, beat
        self._require_tenure = require_tenure
        self._writers = {reader.id: reader.text}
        self._closed = False
        #: What the last batch failed with: Spark passes on only its text.
        self.fault: Exception | None = None

    def close(self) -> None:
        """Lets no other batch begin."""
        self._closed = True

    def __call__(self, batch: DataFrame, batch_id: int) -> None:
        try:
            self._run(batch, batch_id)
        except Exception as error:
            self.fault = error
            raise

    def _run(self, batch: DataFrame, batch_id: int) -> None:
        if self._closed:
            raise Closed("the driver is stopping")
        self._require_tenure()
        outcome = self._write(batch)
        if outcome.unknown_schemas and self._learn(outcome.unknown_schemas):
            outcome = self._write(batch)
        if outcome.dead_letters:
            self._put_aside(batch, outcome.refused)
        self._metrics.count(outcome)
        # Before a sweep, which must not be based on a snapshot with a hole.
        self._watch.batch(batch_id)
        if outcome.epoch_ends:
            self._end_epoch(batch, batch_id)

    def _read(self, batch: DataFrame) -> DataFrame:
        records = read_records(batch, self._writers, self._reader.text)
        known = self._generation.known
        if not known:
            return records
        # What is read again was readable before: how old it is now says nothing.
        again = F.expr(f"offset < coalesce(element_at({_map_literal(known)}, partition), 0)")
        return records.withColumn("committed_at", F.when(~again, F.col("committed_at")))

    def _write(self, batch: DataFrame) -> Outcome:
        """
        One Spark job without a shuffle: the records of a key are in one partition of the topic, so in one task. A task
        a core, because each one costs more than a few records do.
        """
        records = self._read(batch.coalesce(batch.sparkSession.sparkContext.defaultParallelism))
        line = line_expression([f"__{name}" for name in HEAD], self._target.columns)
        lines = rdd_of_lines(self._applied(records, [name for name in HEAD if name != "kept"]).selectExpr(line))
        return total(lines.mapPartitions(partial(write_partition, target=self._target)).collect())

    def _applied(self, records: DataFrame, carried: Iterable[str]) -> DataFrame:
        """
        What the SQL makes of records, and out of its sight what is `carried` of them, each under its name behind `__`.
        The reason, which is to be among these, tells of the SQL's errors, too.
        """
        hidden = {name: f"__{name}" for name in (*carried, "tombstone")}
        fields = [F.col(f"user.{name}") for name in records.schema["user"].dataType.names if name != "id"]
        users = records.select(*(F.col(name).alias(alias) for name, alias in hidden.items()), "id", *fields)
        is_user = F.expr("__reason is null and not __tombstone")
        applied = apply_sql(self._config.spark.sql, users, [*hidden.values()], is_user)
        applied = applied.toDF(*(name.lower() for name in applied.columns))
        return applied.withColumn("__reason", F.expr(f"coalesce(__reason, '{SQL_THROWS}' || {FAULT})"))

    def _learn(self, schema_ids: frozenset[int]) -> bool:
        """
        Fetches these schemas; True when one of them exists. Raises StaleSchema, and StageError SchemaBehind where the
        registry doesn't know one yet, or no longer knows the newest.
        """
        known = self._registry.by_ids(schema_ids)
        self._writers |= known
        if known and self._registry.latest().id != self._reader.id:
            raise StaleSchema("the subject has a newer schema")
        require_fields(self._reader, known)
        return bool(known)

    def _put_aside(self, batch: DataFrame, refused: tuple[Refusal, ...]) -> None:
        """What is not written, key and value as they came, to the dead-letter topic."""
        applied = self._applied(self._read(batch), LETTER).select(*(F.col(f"__{name}").alias(name) for name in LETTER))
        records = with_refusals(applied, refused).where(f"reason <> '{EPOCH_END}'")
        try:
            self._send(letters(records, "value"))
        except Exception as error:
            if TOO_LARGE not in str(error):
                raise
            # With its headers a letter may be larger than what the topic takes; it tells where its record lies.
            self._send(letters(records, f"if(length(value) > {LARGE_LETTER}, X'', value)"))

    def _send(self, letters: DataFrame) -> None:
        letters.write.format("kafka").options(**letter_options(self._config.kafka, os.environ)).save()

    def _end_epoch(self, batch: DataFrame, batch_id: int) -> None:
        """Once all that the newest snapshot in the batch has been applied, what it no longer has is removed."""
        ends = self._read(batch).where(F.col("reason") == EPOCH_END)
        newest = max(ends.select("version", "epoch_start", "epoch_end").collect(), key=lambda end: end.version)
        # A relay that tells no start is older than the notes of what was removed.
        start, end = numbers(newest.epoch_start or {}), numbers(newest.epoch_end)
        if self._watch.has_snapshot(batch_id, start, end):
            self._metrics.swept(sweep(batch.sparkSession, self._target, newest.version, self._beat))
            self._watch.repaired()


def rdd_of_lines(frame: DataFrame) -> RDD:
    """The texts of the frame's one column, which come to Python one by one."""
    spark = frame.sparkSession
    texts = getattr(frame._jdf, "as")(spark._jvm.org.apache.spark.sql.Encoders.STRING())
    return RDD(texts.toJavaRDD(), spark.sparkContext, UTF8Deserializer())


def with_refusals(records: DataFrame, refused: tuple[Refusal, ...]) -> DataFrame:
    """The records, those that Cassandra refused with its reason."""
    if not refused:
        return records
    refusals = records.sparkSession.createDataFrame(refused, "id string, version bigint, refusal string")
    joined = records.join(F.broadcast(refusals), ["id", "version"], "left")
    return joined.withColumn("reason", F.coalesce("reason", "refusal"))


def letters(records: DataFrame, value: str) -> DataFrame:
    """The dead letters of records; `value` is the SQL of what each one carries."""
    added = {
        "reason": "reason",
        "topic": "topic",
        "partition": "cast(partition as string)",
        "offset": "cast(offset as string)",
        "schema-id": "coalesce(cast(schema_id as string), '')",
    }
    pairs = ", ".join(f"named_struct('key', '{name}', 'value', cast({of} as binary))" for name, of in added.items())
    return records.selectExpr(
        "key", f"{value} as value", f"concat(coalesce(headers, array()), array({pairs})) as headers"
    )


def _map_literal(offsets: Mapping[str, int]) -> str:
    return f"map({', '.join(f'{int(partition)}, {int(offset)}L' for partition, offset in offsets.items())})"
