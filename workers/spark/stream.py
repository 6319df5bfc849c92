"""The streaming job: Kafka → the pipeline's SQL → Cassandra. Wiring only."""

import os
import signal
import sys
import threading

from prometheus_client import CollectorRegistry

from config import ConfigError, read_config
from job import Job, SparkGone
from lock import hold_checkpoint
from log import Log
from metrics import Metrics
from project import Projector
from server import serve
from session import start_spark
from status import Status

#: Executors tell of their progress every few seconds; the longest wait of a write, or of Kafka, is a minute.
STUCK_AFTER_S = 600


def main() -> int:
    """Runs until SIGTERM. The exit code is 1 on an unusable configuration or a Spark that has ended."""
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    try:
        config = read_config(os.environ)
        registry, status, projector = CollectorRegistry(), Status(STUCK_AFTER_S), Projector()
        serve(status, registry, int(os.environ.get("HTTP_PORT", "8080")), projector)
        log = Log(config.pipeline, sys.stdout)
        with hold_checkpoint(config.spark.checkpoint_location, status, stop):
            if not stop.is_set():
                spark = start_spark(config)
                Job(config, spark, status, Metrics(registry), projector, log).run(stop)
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
