"""One small local Spark for the tests that need its analyser or its Avro reader."""

import os
import tempfile
import unittest

try:
    from pyspark.sql import SparkSession
except ImportError as error:
    raise unittest.SkipTest("pyspark is not installed") from error

from session import SETTINGS


def local_session() -> SparkSession:
    """The session that all tests share; raises SkipTest where the Avro and Kafka jars are not beside PySpark's own."""
    # Python reads Spark's timestamps in the zone of the process.
    os.environ |= {"PYSPARK_PYTHON": "python3", "TZ": "UTC"}
    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.warehouse.dir", tempfile.gettempdir())
        .config(map=SETTINGS)
        .getOrCreate()
    )
    try:
        session._jvm.java.lang.Class.forName("org.apache.spark.sql.avro.AvroDataToCatalyst")
    except Exception as error:
        raise unittest.SkipTest("spark-avro is not among PySpark's jars") from error
    return session
