import unittest

from latency import BOUNDS, Latencies, measured, quantile, together


class Measured(unittest.TestCase):
    def test_each_in_the_bucket_that_it_does_not_exceed(self):
        latencies = measured([1000, 900, 0], 1100)
        counted = {bound: count for bound, count in zip([*BOUNDS, None], latencies.counts) if count}
        self.assertEqual(counted, {0.1: 1, 0.25: 1, 1.5: 1})
        self.assertAlmostEqual(latencies.seconds, 1.4)

    def test_what_has_no_commit_time_is_not_counted(self):
        self.assertEqual(measured([None], 5), Latencies())

    def test_a_clock_that_is_ahead_makes_no_negative_time(self):
        self.assertEqual(measured([2000], 1000), measured([1000], 1000))

    def test_beyond_the_last_bound(self):
        self.assertEqual(measured([0], 10_000_000).counts[-1], 1)


class Quantile(unittest.TestCase):
    def test_is_spread_evenly_within_a_bucket(self):
        cases = [
            ("nobody", [], 0.5, None),
            ("one bucket", [0.2] * 10, 0.5, 0.175),
            ("the second bucket", [0.05] * 50 + [0.2] * 50, 0.75, 0.175),
            ("the last of a bucket", [0.05] * 99 + [50], 0.99, 0.1),
            ("beyond all bounds", [5000] * 3, 0.99, 3600.0),
        ]
        for name, seconds, share, expected in cases:
            with self.subTest(name):
                found = quantile(together(measured([0], 1000 * each) for each in seconds), share)
                self.assertEqual(None if found is None else round(found, 6), expected)


if __name__ == "__main__":
    unittest.main()
