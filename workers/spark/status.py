"""What the job says about itself: ready or not, why, and whether it still gets on."""

import threading
import time
from typing import Any, Callable


class StageError(Exception):
    """A fault of one stage, in words that the resource's condition can carry."""

    def __init__(self, stage: str, reason: str, message: str):
        super().__init__(message)
        self.stage, self.reason, self.message = stage, reason, message


class Status:
    """The state behind /readyz and /healthz; safe to use from several threads. `clock` gives seconds, never back."""

    def __init__(self, stuck_after: float, clock: Callable[[], float] = time.monotonic):
        self._lock, self._clock, self._stuck_after = threading.Lock(), clock, stuck_after
        self._beat = clock()
        self.not_ready("Spark", "Starting", "the Spark session is being started")

    def ready(self, figures: Callable[[], dict[str, float]], reason: str = "Running", message: str = "") -> None:
        """Ready, with figures that are asked for anew by each look; `message`: what is to be told all the same."""
        self._set({"ready": True, "stage": "Spark", "reason": reason, "message": message, "figures": figures})

    def not_ready(self, stage: str, reason: str, message: str) -> None:
        self._set({"ready": False, "stage": stage, "reason": reason, "message": message})

    def starting(self, message: str) -> None:
        """Says how far the start is; a fault that was reported stays until something has worked again."""
        if self.snapshot()["reason"] == "Starting":
            self.not_ready("Spark", "Starting", message)

    def beat(self) -> None:
        """Something moved: a batch ended, an idle look at Kafka, another try after a fault."""
        with self._lock:
            self._beat = self._clock()

    def snapshot(self) -> dict[str, Any]:
        with self._lock:
            state = dict(self._state)
        return state | {"figures": state["figures"]()} if "figures" in state else state

    def alive(self) -> bool:
        """False when nothing has moved for longer than the bound: only a restart of the pod helps then."""
        with self._lock:
            return self._clock() - self._beat < self._stuck_after

    def _set(self, state: dict[str, Any]) -> None:
        with self._lock:
            self._state = state
