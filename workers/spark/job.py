"""Keeps the streaming query running: plans it, starts it, watches it, and starts it again whatever befalls it."""

import os
import random
import threading
import time
from typing import Callable

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.avro.functions import from_avro
from pyspark.sql.streaming import StreamingQuery
from pyspark.sql.types import StructType

from batch import Batches, StaleSchema
from checkpoint import Checkpoint
from config import Config, ConfigError, ca_certificate, credentials
from cql import Target
from faults import fault_of
from gaps import Gaps
from kafka_offsets import TopicOffsets
from kafka_options import kafka_options, source_options
from lock import is_on_volume
from log import Log
from metrics import Metrics
from project import Plan, Projector
from registry import RegistryClient, Schema
from replay import Generation, current_generation
from sql import check_sql
from status import Status
from table import fit_table
from tenure import Tenure, own_pod
from watch import LogReplaced, Watch

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15
#: Well within the pod's terminationGracePeriodSeconds.
LONGEST_COMMIT_S = 15


class SparkGone(Exception):
    """The JVM or its Spark context has ended: only a new process helps."""


class Job:
    """Plans the query, starts it, watches it, and starts it again from its checkpoint whatever befalls it."""

    #: As the life of the query that is under way knows them.
    _gaps: Gaps

    def __init__(
        self,
        config: Config,
        spark: SparkSession,
        status: Status,
        metrics: Metrics,
        projector: Projector,
        log: Log,
    ):
        self._config, self._spark, self._status, self._metrics, self._log = config, spark, status, metrics, log
        self._projector = projector
        self._pause, self._refused = FIRST_PAUSE_S, ""
        login, ca = credentials(os.environ, "SCHEMA_REGISTRY"), ca_certificate(os.environ, "SCHEMA_REGISTRY")
        self._registry = RegistryClient(config.schema_registry, login, ca)
        # A volume is held by a lock already.
        self._pod = "" if is_on_volume(config.spark.checkpoint_location) else own_pod()
        self._require_tenure = tenure_check(spark, config.spark.checkpoint_location, self._pod)

    def run(self, stop: threading.Event) -> None:
        """Returns once `stop` is set and the query has ended. Raises only on what a new process may heal."""
        while not stop.is_set():
            self._status.beat()
            try:
                self._require_tenure()
                self._live(stop)
            except ConfigError:
                raise
            except (StaleSchema, LogReplaced) as error:
                self._log.info(f"{error}: planning again")
            except Exception as error:
                if is_gone(self._spark):
                    raise SparkGone(str(error)) from error
                self._report(error)
                stop.wait(self._pause * random.uniform(0.5, 1))

    def _live(self, stop: threading.Event) -> None:
        """One life of the query: planned, started and watched until it is to stop. Raises what it ended with."""
        config = self._config
        reader, target = self._plan()
        with TopicOffsets(self._spark, kafka_options(config.kafka, os.environ), config.kafka.topic) as topic:
            generation, watch = self._resume(topic)
            checks = self._status.beat, self._require_tenure
            batches = Batches(config, self._registry, reader, target, self._metrics, generation, watch, *checks)
            self._follow(self._start(batches, generation), batches, watch, stop)

    def _plan(self) -> tuple[Schema, Target]:
        """Everything is checked before anything is read: registry, SQL, table."""
        config = self._config
        reader = self._registry.latest()
        fields = user_fields(self._spark, reader.text)
        columns = check_sql(self._spark, config.spark.sql, fields)
        target = fit_table(config.cassandra, columns, os.environ)
        names = [column.name for column in columns]
        self._projector.planned(Plan(self._spark, config.spark.sql, fields, columns))
        self._log.info("the query is planned", schemaId=reader.id, columns=names)
        return reader, target

    def _resume(self, topic: TopicOffsets) -> tuple[Generation, Watch]:
        """Where to go on. What was removed unread, and why a replay was refused, is told beside the figures."""
        config, spark, location = self._config, self._spark, self._config.spark.checkpoint_location
        self._gaps = Gaps(Checkpoint(spark, location), config.kafka.topic, self._metrics, self._log)
        generation, self._refused = current_generation(config, spark, topic, self._gaps, self._pod)
        watch = Watch(Checkpoint(spark, generation.location(location)), generation, topic, self._gaps)
        watch.start()
        self._log.info("the query starts", replay=generation.number)
        return generation, watch

    def _start(self, batches: Batches, generation: Generation) -> StreamingQuery:
        config = self._config
        self._status.starting("the first micro-batch is under way; where that lasts, see the executors' pods")
        start = generation.starting_offsets(config.kafka.topic)
        options = source_options(config.kafka, os.environ, config.spark.max_offsets_per_trigger, start)
        return (
            self._spark.readStream.format("kafka")
            .options(**options)
            .load()
            .writeStream.foreachBatch(batches)
            .option("checkpointLocation", generation.location(config.spark.checkpoint_location))
            .trigger(processingTime=f"{config.spark.trigger_ms} milliseconds")
            .start()
        )

    def _follow(self, query: StreamingQuery, batches: Batches, watch: Watch, stop: threading.Event) -> None:
        """Shows the query's progress until it is to stop. Raises what it ended with."""
        seen = None
        try:
            while query.isActive and not stop.wait(0.5):
                progress = query.lastProgress
                if progress and (progress["batchId"], progress["timestamp"]) != seen:
                    seen = (progress["batchId"], progress["timestamp"])
                    self._pause = FIRST_PAUSE_S
                    self._status.beat()
                    self._metrics.progress(progress)
                    self._ready()
                    watch.topic()
        finally:
            batches.close()
            try:
                await_commit(query, LONGEST_COMMIT_S)
            finally:
                query.stop()
        if not stop.is_set() and (error := batches.fault or query.exception()):
            raise error

    def _ready(self) -> None:
        told = {"RecordsSkipped": self._gaps.message(), "ReplayRefused": self._refused}
        said = {reason: message for reason, message in told.items() if message}
        self._status.ready(self._metrics.figures, next(iter(said), "Running"), "; ".join(said.values()))

    def _report(self, error: Exception) -> None:
        """Tells what happened, and waits longer the next time."""
        fault = fault_of(self._config, error)
        self._metrics.restarted()
        self._status.not_ready(fault.stage, fault.reason, fault.message)
        self._log.warn(fault.message, stage=fault.stage, reason=fault.reason)
        self._pause = min(LONGEST_PAUSE_S, self._pause * 2)


def await_commit(query: StreamingQuery, limit_s: float) -> None:
    """
    Waits until the batch that is under way is committed, or the limit has passed. Cut short it would come again under the
    same versions, after a change of the SQL with other values: of two under one version Cassandra keeps either.
    """
    deadline = time.monotonic() + limit_s
    while query.isActive and query.status["isTriggerActive"] and time.monotonic() < deadline:
        time.sleep(0.1)


def tenure_check(spark: SparkSession, location: str, pod: str) -> Callable[[], None]:
    """What raises once another pod's driver has the checkpoint; nothing ever where there is no pod to ask for."""
    return Tenure(Checkpoint(spark, location), pod).check if pod else lambda: None


def is_gone(spark: SparkSession) -> bool:
    """True when the JVM has exited or its Spark context was stopped, as after too many failed executors."""
    context = spark.sparkContext
    return context._gateway.proc.poll() is not None or context._jsc.sc().isStopped()


def user_fields(spark: SparkSession, schema: str) -> StructType:
    """The columns of the view `users`: the fields of the Avro record, as Spark's types."""
    empty = spark.range(0).select(F.lit(None).cast("binary").alias("value"))
    return empty.select(from_avro("value", schema).alias("user")).select("user.*").schema
