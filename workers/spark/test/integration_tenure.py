import tempfile
import unittest

from checkpoint import Checkpoint
from spark_session import local_session
from status import StageError
from tenure import Tenure


class Hold(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.checkpoint = Checkpoint(local_session(), f"file://{directory.name}/checkpoint")

    def driver(self, pod: str) -> Tenure:
        return Tenure(self.checkpoint, pod)

    def assert_taken(self, driver: Tenure):
        with self.assertRaises(StageError) as raised:
            driver.check()
        self.assertEqual(raised.exception.reason, "CheckpointTaken")

    def test_is_the_later_pods_for_good(self):
        first, second = self.driver("first"), self.driver("second")
        first.check()
        first.check()
        second.check()
        self.assert_taken(first)
        self.assert_taken(self.driver("first"))
        second.check()

    def test_is_kept_by_a_pod_whose_driver_is_started_again(self):
        self.driver("first").check()
        self.driver("first").check()


if __name__ == "__main__":
    unittest.main()
