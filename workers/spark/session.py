"""The Spark session, with what the job's correctness and speed rest on; resources come from spark-defaults.conf."""

import os

from pyspark.sql import SparkSession

from config import Config

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.ansi.enabled": "false",
    # What today's parser doesn't read is null; by default it is an error where the parser of Spark 2 read it.
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    "spark.sql.streaming.minBatchesToRetain": "10",
    "spark.sql.streaming.numRecentProgressUpdates": "2",
}


def start_spark(config: Config) -> SparkSession:
    here = os.path.dirname(os.path.abspath(__file__))
    builder = SparkSession.builder.appName(f"{config.pipeline.namespace}.{config.pipeline.name}")
    # The executors' Python imports the sink by its name.
    path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    for name, value in {**SETTINGS, "spark.executorEnv.PYTHONPATH": path}.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
