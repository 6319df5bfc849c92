import tempfile
import unittest

from checkpoint import Checkpoint
from spark_session import local_session


class Notes(unittest.TestCase):
    def test_are_written_over_in_one_stroke(self):
        with tempfile.TemporaryDirectory() as directory:
            checkpoint = Checkpoint(local_session(), f"file://{directory}/new/checkpoint")
            self.assertIsNone(checkpoint.read_note("replay.json"))
            for number in (1, 2):
                checkpoint.write_note("replay.json", {"number": number, "wish": {"offsets": {"0": 2**53}}})
                self.assertEqual(checkpoint.read_note("replay.json")["number"], number)
            self.assertEqual(checkpoint.read_note("replay.json")["wish"], {"offsets": {"0": 2**53}})

    def test_a_new_checkpoint_has_reached_nothing(self):
        with tempfile.TemporaryDirectory() as directory:
            self.assertEqual(Checkpoint(local_session(), f"file://{directory}/checkpoint").reached(), {})


if __name__ == "__main__":
    unittest.main()
