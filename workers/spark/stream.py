"""The streaming job: Kafka → the pipeline's SQL → Cassandra. Wiring, and the loop that keeps the query running."""

import os
import random
import signal
import sys
import threading

from prometheus_client import CollectorRegistry
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.avro.functions import from_avro
from pyspark.sql.streaming import StreamingQuery
from pyspark.sql.types import StructType

from batch import Batches, StaleSchema
from config import Config, ConfigError, ca_certificate, credentials, read_config
from faults import fault_of
from kafka_options import source_options
from lock import hold_checkpoint
from log import Log
from metrics import Metrics
from registry import RegistryClient
from server import serve
from sql import check_sql
from status import Status
from table import fit_table

#: A batch of the largest size on a slow ring takes minutes, not this long.
STUCK_AFTER_S = 600
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15


def start_spark(config: Config) -> SparkSession:
    """A session with what the job's correctness and speed rest on; resources come from spark-defaults.conf."""
    here = os.path.dirname(os.path.abspath(__file__))
    settings = {
        # The executors' Python imports the sink by its name.
        "spark.executorEnv.PYTHONPATH": os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")])),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.ansi.enabled": "false",
        "spark.sql.streaming.minBatchesToRetain": "10",
        "spark.sql.streaming.numRecentProgressUpdates": "2",
    }
    builder = SparkSession.builder.appName(f"{config.pipeline.namespace}.{config.pipeline.name}")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


class SparkGone(Exception):
    """The JVM or its Spark context has ended: only a new process helps."""


class Job:
    """Plans the query, starts it, watches it, and starts it again from its checkpoint whatever befalls it."""

    def __init__(self, config: Config, spark: SparkSession, status: Status, metrics: Metrics, log: Log):
        self._config, self._spark, self._status, self._metrics, self._log = config, spark, status, metrics, log
        self._pause = FIRST_PAUSE_S
        login, ca = credentials(os.environ, "SCHEMA_REGISTRY"), ca_certificate(os.environ, "SCHEMA_REGISTRY")
        self._registry = RegistryClient(config.schema_registry, login, ca)

    def run(self, stop: threading.Event) -> None:
        """Returns once `stop` is set and the query has ended. Raises only on what a new process may heal."""
        while not stop.is_set():
            self._status.beat()
            try:
                batches = self._plan()
                self._watch(self._start(batches), batches, stop)
            except ConfigError:
                raise
            except StaleSchema as error:
                self._log.info(f"{error}: planning again")
            except Exception as error:
                if is_gone(self._spark):
                    raise SparkGone(str(error)) from error
                self._report(error)
                stop.wait(self._pause * random.uniform(0.5, 1))

    def _plan(self) -> Batches:
        """Everything is checked before anything is read: registry, SQL, table."""
        config = self._config
        reader = self._registry.latest()
        columns = check_sql(self._spark, config.spark.sql, user_fields(self._spark, reader.text))
        target = fit_table(config.cassandra, columns, os.environ)
        self._log.info("the query starts", schemaId=reader.id, columns=[column.name for column in columns])
        return Batches(config, self._registry, reader, target, self._metrics)

    def _start(self, batches: Batches) -> StreamingQuery:
        config = self._config
        self._status.starting("the first micro-batch is under way; where that lasts, see the executors' pods")
        options = source_options(config.kafka, os.environ, config.spark.max_offsets_per_trigger)
        return (
            self._spark.readStream.format("kafka")
            .options(**options)
            .load()
            .writeStream.foreachBatch(batches)
            .option("checkpointLocation", config.spark.checkpoint_location)
            .trigger(processingTime=f"{config.spark.trigger_ms} milliseconds")
            .start()
        )

    def _watch(self, query: StreamingQuery, batches: Batches, stop: threading.Event) -> None:
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
                    self._status.ready(self._metrics.figures)
        finally:
            query.stop()
        if not stop.is_set() and (error := batches.fault or query.exception()):
            raise error

    def _report(self, error: Exception) -> None:
        """Tells what happened, and waits longer the next time."""
        fault = fault_of(self._config, error)
        self._metrics.restarted()
        self._status.not_ready(fault.stage, fault.reason, fault.message)
        self._log.warn(fault.message, stage=fault.stage, reason=fault.reason)
        self._pause = min(LONGEST_PAUSE_S, self._pause * 2)


def is_gone(spark: SparkSession) -> bool:
    """True when the JVM has exited or its Spark context was stopped, as after too many failed executors."""
    context = spark.sparkContext
    return context._gateway.proc.poll() is not None or context._jsc.sc().isStopped()


def user_fields(spark: SparkSession, schema: str) -> StructType:
    """The columns of the view `users`: the fields of the Avro record, as Spark's types."""
    empty = spark.range(0).select(F.lit(None).cast("binary").alias("value"))
    return empty.select(from_avro("value", schema).alias("user")).select("user.*").schema


def main() -> int:
    """Runs until SIGTERM. The exit code is 1 on an unusable configuration or a Spark that has ended."""
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    try:
        config = read_config(os.environ)
        registry, status = CollectorRegistry(), Status(STUCK_AFTER_S)
        serve(status, registry, int(os.environ.get("HTTP_PORT", "8080")))
        log = Log(config.pipeline, sys.stdout)
        with hold_checkpoint(config.spark.checkpoint_location, status, stop):
            if not stop.is_set():
                spark = start_spark(config)
                Job(config, spark, status, Metrics(registry), log).run(stop)
                spark.stop()
        return 0
    except ConfigError as error:
        _last_words(str(error))
    except SparkGone as error:
        _last_words(f"Spark has ended: {error}")
    return 1


def _last_words(text: str) -> None:
    """Says why on stderr and where Kubernetes looks for it."""
    print(text, file=sys.stderr)
    try:
        with open("/dev/termination-log", "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        pass


if __name__ == "__main__":
    sys.exit(main())
