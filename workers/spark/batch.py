"""One micro-batch: decode, the pipeline's SQL, write, and put aside what can't be read."""

import os
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from config import Config
from cql import Target, wire_expression
from decode import read_records
from kafka_options import letter_options
from metrics import Metrics
from outcome import Outcome, total
from registry import RegistryClient, Schema
from sink import write_partition
from sql import KEPT, apply_sql

#: What travels beside the columns of the view, out of the SQL's sight: column of the record → name there.
CARRIED = {name: f"__{name}" for name in ("id", "version", "reason", "schema_id", "tombstone")}


class StaleSchema(Exception):
    """The subject has a newer schema than the query was planned for: it must be planned again."""


class Batches:
    """
    What the streaming query calls with each batch. Every effect is idempotent, so a batch that fails anywhere is
    simply run again. Raises on whatever a retry may heal.
    """

    def __init__(self, config: Config, registry: RegistryClient, reader: Schema, target: Target, metrics: Metrics):
        self._config, self._registry, self._reader = config, registry, reader
        self._target, self._metrics = target, metrics
        self._writers = {reader.id: reader.text}
        #: What the last batch failed with: Spark passes on only its text.
        self.fault: Exception | None = None

    def __call__(self, batch: DataFrame, _batch_id: int) -> None:
        try:
            self._run(batch)
        except Exception as error:
            self.fault = error
            raise

    def _run(self, batch: DataFrame) -> None:
        outcome = self._write(batch)
        if outcome.unknown_schemas and self._learn(outcome.unknown_schemas):
            outcome = self._write(batch)
        if outcome.unreadable:
            self._put_aside(batch)
        self._metrics.count(outcome)

    def _write(self, batch: DataFrame) -> Outcome:
        """
        One Spark job without a shuffle: the records of a key are in one partition of the topic, so in one task. A task
        a core, because each one costs more than a few records do.
        """
        cores = batch.sparkSession.sparkContext.defaultParallelism
        rows = self._rows(read_records(batch.coalesce(cores), self._writers, self._reader.text))
        return total(rows.rdd.mapPartitions(partial(write_partition, target=self._target)).collect())

    def _rows(self, records: DataFrame) -> DataFrame:
        """Rows as the sink takes them: CARRIED, whether the SQL keeps it, the columns of the table."""
        hidden = [F.col(name).alias(alias) for name, alias in CARRIED.items()]
        fields = [F.col(f"user.{name}") for name in records.schema["user"].dataType.names if name != "id"]
        users = apply_sql(self._config.spark.sql, records.select(*hidden, "id", *fields), [*CARRIED.values()])
        users = users.toDF(*(name.lower() for name in users.columns))
        values = (F.expr(wire_expression(column)).alias(column.name) for column in self._target.columns)
        return users.select(*CARRIED.values(), KEPT, *values)

    def _learn(self, schema_ids: frozenset[int]) -> bool:
        """Fetches these schemas; True when one of them exists."""
        found = {schema_id: self._registry.by_id(schema_id) for schema_id in schema_ids}
        self._writers |= {schema_id: text for schema_id, text in found.items() if text is not None}
        if any(found.values()) and self._registry.latest().id != self._reader.id:
            raise StaleSchema("the subject has a newer schema")
        return any(found.values())

    def _put_aside(self, batch: DataFrame) -> None:
        """The unreadable records, key and value as they came, to the dead-letter topic."""
        records = read_records(batch, self._writers, self._reader.text).where("reason is not null")
        added = {
            "reason": "reason",
            "topic": "topic",
            "partition": "cast(partition as string)",
            "offset": "cast(offset as string)",
            "schema-id": "coalesce(cast(schema_id as string), '')",
        }
        pairs = ", ".join(f"named_struct('key', '{name}', 'value', cast({of} as binary))" for name, of in added.items())
        letters = records.selectExpr("key", "value", f"concat(coalesce(headers, array()), array({pairs})) as headers")
        letters.write.format("kafka").options(**letter_options(self._config.kafka, os.environ)).save()
