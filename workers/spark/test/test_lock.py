import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from lock import hold_checkpoint
from status import Status

OTHER = """
import sys, threading
from lock import hold_checkpoint
from status import Status
held = hold_checkpoint(sys.argv[1], Status(60), threading.Event())
print("held", flush=True)
sys.stdin.read()
"""


class Lock(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.location = f"file://{directory.name}/checkpoint"
        self.status, self.stop = Status(60), threading.Event()

    def start_other(self) -> subprocess.Popen:
        """Another process that holds the checkpoint."""
        here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        other = subprocess.Popen([sys.executable, "-c", OTHER, self.location], cwd=here, **pipes)
        self.addCleanup(other.communicate)
        self.addCleanup(other.kill)
        self.assertEqual(other.stdout.readline(), "held\n")
        return other

    def start_waiting(self) -> tuple[threading.Thread, list]:
        """A thread that waits for the checkpoint; what it gets comes into the list."""
        got = []
        thread = threading.Thread(
            target=lambda: got.append(hold_checkpoint(self.location, self.status, self.stop)), daemon=True
        )
        thread.start()
        deadline = time.monotonic() + 10
        while self.status.snapshot()["reason"] != "CheckpointHeld":
            self.assertLess(time.monotonic(), deadline, "it never said that it waits")
            time.sleep(0.01)
        return thread, got

    def test_waits_until_the_process_that_holds_it_is_killed(self):
        other = self.start_other()
        thread, got = self.start_waiting()
        self.assertEqual(got, [])
        other.kill()
        thread.join(10)
        self.assertEqual(len(got), 1)
        with got[0] as held:
            self.assertFalse(held.closed)

    def test_ends_when_it_is_to_stop(self):
        self.start_other()
        thread, got = self.start_waiting()
        self.stop.set()
        thread.join(10)
        self.assertEqual(len(got), 1)

    def test_a_checkpoint_elsewhere_has_no_lock(self):
        with hold_checkpoint("s3a://bucket/checkpoint", self.status, self.stop) as held:
            self.assertIsNone(held)


if __name__ == "__main__":
    unittest.main()
