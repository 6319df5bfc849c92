import unittest

try:
    from sweep import FIRST_TOKEN, LAST_TOKEN, has_reached, is_left_over, token_ranges
except ImportError as error:
    raise unittest.SkipTest("pyspark is not installed") from error


class Sweep(unittest.TestCase):
    def test_waits_until_every_partition_has_been_applied(self):
        cases = [
            ("all", {0: 5, 1: 7}, {0: 5, 1: 7}, True),
            ("further", {0: 9, 1: 9}, {0: 5, 1: 7}, True),
            ("one is behind", {0: 9, 1: 6}, {0: 5, 1: 7}, False),
            ("one is not known", {0: 9}, {0: 5, 1: 7}, False),
            ("one that never had a record", {0: 9}, {0: 5, 1: 0}, True),
        ]
        for name, ends, until, expected in cases:
            with self.subTest(name):
                self.assertEqual(has_reached(ends, until), expected)

    def test_takes_rows_of_which_no_column_is_new(self):
        cases = [
            ("older", [5, 9], True),
            ("one column is new", [5, 10], False),
            ("empty columns count for nothing", [None, 10, None], False),
            ("without a value there is no telling", [None, None], True),
            ("no columns", [], True),
        ]
        for name, written, expected in cases:
            with self.subTest(name):
                self.assertEqual(is_left_over(written, 10), expected)

    def test_ranges_cover_the_ring_once(self):
        for parts in (1, 3, 256):
            ranges = token_ranges(parts)
            self.assertEqual((len(ranges), ranges[0][0], ranges[-1][1]), (parts, FIRST_TOKEN, LAST_TOKEN))
            self.assertTrue(all(one[1] == next[0] for one, next in zip(ranges, ranges[1:])))


if __name__ == "__main__":
    unittest.main()
