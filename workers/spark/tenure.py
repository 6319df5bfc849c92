"""
Whose the checkpoint is where no volume can be locked: the pod's that came last. A driver that outlived its pod finds out
before its next batch, whose writes would carry the same versions as those of the one that took its place.
"""

import os
import uuid

from checkpoint import Checkpoint
from status import StageError

NOTE = "drivers.json"
#: Pods that are remembered: none outlives so many others.
KEPT = 100
TAKEN = (
    "the driver of a later pod has taken the checkpoint over, and this one writes nothing any more: delete its pod where it "
    "doesn't go by itself; where the other is another pipeline's, give each a spark.checkpoint.uri of its own"
)


def own_pod() -> str:
    """The uid of the pod, which its containers share one after the other; outside of any, each process is its own."""
    return os.environ.get("POD_UID") or str(uuid.uuid4())


class Tenure:
    """The hold of a pod's driver on a checkpoint."""

    def __init__(self, checkpoint: Checkpoint, pod: str):
        self._checkpoint, self._pod = checkpoint, pod

    def check(self) -> None:
        """
        Takes the checkpoint over where this pod never had it. Raises StageError CheckpointTaken once a later pod has, and
        whatever the checkpoint's file system does.
        """
        pods = (self._checkpoint.read_note(NOTE) or {}).get("pods", [])
        if self._pod not in pods:
            self._checkpoint.write_note(NOTE, {"pods": [*pods, self._pod][-KEPT:]})
        elif pods[-1] != self._pod:
            raise StageError("Spark", "CheckpointTaken", TAKEN)
