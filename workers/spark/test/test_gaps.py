import io
import json
import unittest

try:
    from prometheus_client import CollectorRegistry

    from gaps import Gap, Gaps, widened
except ImportError as error:
    raise unittest.SkipTest("pyspark is not installed") from error

from config import Pipeline
from log import Log
from metrics import Metrics


class Notes:
    """What a checkpoint keeps, as JSON brings it back."""

    def __init__(self):
        self.note = None

    def read_note(self, _name):
        return None if self.note is None else json.loads(self.note)

    def write_note(self, _name, note):
        self.note = json.dumps(note)


class Widened(unittest.TestCase):
    def test_by_what_was_removed_and_not_read(self):
        cases = [
            ("nothing was removed", {}, {0: 5}, {0: 3}, {}),
            ("all that was removed had been read", {}, {0: 5}, {0: 5}, {}),
            ("some had not", {}, {0: 5, 1: 9}, {0: 8, 1: 2}, {0: Gap(8, 3)}),
            ("nothing had", {}, {}, {0: 8}, {0: Gap(8, 8)}),
            ("the batch is run again", {0: Gap(8, 3)}, {0: 5}, {0: 8}, {0: Gap(8, 3)}),
            ("and meanwhile more was", {0: Gap(8, 3)}, {0: 5}, {0: 10}, {0: Gap(10, 5)}),
            ("what lies in between was read", {0: Gap(8, 3)}, {0: 20}, {0: 22}, {0: Gap(22, 5)}),
            ("another partition", {0: Gap(8, 3)}, {0: 20, 1: 4}, {0: 9, 1: 6}, {0: Gap(8, 3), 1: Gap(6, 2)}),
        ]
        for name, gaps, read, first, expected in cases:
            with self.subTest(name):
                self.assertEqual(widened(gaps, read, first), expected)


class Noted(unittest.TestCase):
    def setUp(self):
        self.root, self.out, self.registry = Notes(), io.StringIO(), CollectorRegistry()

    def gaps(self) -> Gaps:
        metrics = Metrics(self.registry)
        return Gaps(self.root, "users", metrics, Log(Pipeline("default", "users"), self.out))

    def counted(self) -> float | None:
        return self.registry.get_sample_value("userstream_spark_skipped_records_total")

    def restarted(self) -> Gaps:
        self.registry = CollectorRegistry()
        return self.gaps()

    def test_nothing_is_told_or_written_without_a_gap(self):
        gaps = self.gaps()
        gaps.removed({0: 5}, {0: 3})
        self.assertEqual((gaps.message(), self.counted(), self.root.note), ("", 0, None))
        self.assertTrue(gaps.are_behind({}))

    def test_a_gap_is_told_and_counted_until_it_is_repaired_also_after_a_restart(self):
        gaps = self.gaps()
        gaps.removed({0: 5}, {0: 8})
        gaps.removed({0: 5, 3: 1}, {0: 8, 3: 2})
        for each in (gaps, self.restarted()):
            self.assertIn("the topic users were", each.message())
            self.assertIn("(3 of partition 0 before offset 8, 1 of partition 3 before offset 2)", each.message())
            self.assertIn("send all users again", each.message())
            self.assertEqual(self.counted(), 4)
        self.assertEqual(self.out.getvalue().count("removed before they were read"), 2)
        each.repaired()
        self.assertEqual((each.message(), self.restarted().message(), self.counted()), ("", "", 0))

    def test_only_a_snapshot_that_began_behind_all_gaps_is_whole(self):
        gaps = self.gaps()
        gaps.removed({}, {0: 8, 1: 4})
        cases = [({0: 8, 1: 4}, True), ({0: 9, 1: 9}, True), ({0: 8, 1: 3}, False), ({0: 8}, False), ({}, False)]
        for start, expected in cases:
            with self.subTest(start):
                self.assertEqual(gaps.are_behind(start), expected)

    def test_nobody_knows_what_was_lost_with_a_log(self):
        gaps = self.gaps()
        gaps.removed({}, {0: 8})
        gaps.made_anew({0: 0, 1: 2})
        self.assertIn("an unknown number of partition 0 before offset 0, an unknown number of", gaps.message())
        self.assertEqual(self.counted(), 8)
        self.assertEqual([gaps.are_behind({0: 0, 1: offset}) for offset in (1, 2)], [False, True])

    def test_the_message_stays_short(self):
        gaps = self.gaps()
        gaps.removed({}, {partition: 1 for partition in range(1000)})
        self.assertIn("1 of partition 9 before offset 1, and 990 partitions more)", gaps.message())


if __name__ == "__main__":
    unittest.main()
