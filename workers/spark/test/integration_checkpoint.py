import json
import os
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
            checkpoint = Checkpoint(local_session(), f"file://{directory}/checkpoint")
            self.assertEqual((checkpoint.reached(), checkpoint.shrinks()), ({}, False))


class Batches(unittest.TestCase):
    """On logs as Spark writes them."""

    def test_start_where_the_one_before_ended_and_may_go_back(self):
        with tempfile.TemporaryDirectory() as directory:
            checkpoint = Checkpoint(local_session(), f"file://{directory}")
            for batch, ends in enumerate([{"0": 5}, {"0": 2**33, "1": 2}, {"0": 2**33, "1": 1}]):
                self.write(directory, "offsets", batch, json.dumps({"users": ends}))
                self.assertEqual(checkpoint.shrinks(), batch == 2)
            self.write(directory, "commits", 1)
            self.assertEqual((checkpoint.batch_start(0), checkpoint.batch_start(1)), ({}, {0: 5}))
            self.assertEqual(checkpoint.reached(), {0: 2**33, 1: 2})
            self.assertEqual(checkpoint.batch_end(2), {0: 2**33, 1: 1})

    def write(self, directory: str, log: str, batch: int, *lines: str) -> None:
        os.makedirs(f"{directory}/{log}", exist_ok=True)
        metadata = {"offsets": '{"batchWatermarkMs":0,"batchTimestampMs":0,"conf":{}}'}
        with open(f"{directory}/{log}/{batch}", "w", encoding="utf-8") as file:
            file.write("\n".join(["v1", metadata.get(log, '{"nextBatchWatermarkMs":0}'), *lines]))


if __name__ == "__main__":
    unittest.main()
