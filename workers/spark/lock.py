"""One driver a checkpoint. A driver that outlived its pod must not write beside the one that took its place."""

import fcntl
import os
import threading
from contextlib import AbstractContextManager, nullcontext
from urllib.parse import urlsplit

from status import Status

HELD = "another driver, maybe of a pod that was deleted by force, still holds the checkpoint; this one waits until it ends"


def is_on_volume(location: str) -> bool:
    """Whether the checkpoint's files are such that a process can lock them."""
    return urlsplit(location).scheme == "file"


def hold_checkpoint(location: str, status: Status, stop: threading.Event) -> AbstractContextManager:
    """Waits until this process alone holds the checkpoint's volume, or `stop` is set.

    It is held until the context ends or the process does, however that ends. A checkpoint that isn't on a volume has no
    lock (tenure.py).
    """
    if not is_on_volume(location):
        return nullcontext()
    directory = os.path.dirname(urlsplit(location).path)
    file = open(os.path.join(directory, "driver.lock"), "a", encoding="utf-8")
    while not stop.is_set():
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            status.not_ready("Spark", "Starting", "the Spark session is being started")
            return file
        except BlockingIOError:
            status.beat()
            status.not_ready("Spark", "CheckpointHeld", HELD)
            stop.wait(1)
    file.close()
    return nullcontext()
