import unittest

from registry import Patience
from test_status import Clock


class Waiting(unittest.TestCase):
    def test_for_each_schema_from_when_it_was_first_missed_and_only_once(self):
        clock = Clock()
        patience = Patience(60, clock)
        moments = [(0, 1, True), (30, 2, True), (59, 1, True), (60, 1, False), (89, 2, True), (90, 2, False), (1000, 1, False)]
        for now, schema_id, is_left in moments:
            clock.now = now
            self.assertEqual(patience.is_left(schema_id), is_left)


if __name__ == "__main__":
    unittest.main()
