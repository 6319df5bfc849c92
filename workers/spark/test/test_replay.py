import unittest

try:
    from replay import Generation, ReplayRefused, check_offsets, start_offsets
except ImportError as error:
    raise unittest.SkipTest("pyspark is not installed") from error


class StartOffsets(unittest.TestCase):
    def test_goes_back_and_never_skips(self):
        cases = [
            ("back to where it is wanted", {0: 5}, {0: 9}, {0: 0}, {0: 12}, {0: 5}),
            ("others go on from where they stand", {0: 5}, {0: 9, 1: 7}, {0: 0, 1: 0}, {0: 12, 1: 8}, {0: 5, 1: 7}),
            ("never ahead of where it stands", {0: 11}, {0: 9}, {0: 0}, {0: 12}, {0: 9}),
            ("not before what retention left", {0: 1}, {0: 9}, {0: 4}, {0: 12}, {0: 4}),
            ("where nothing was read yet, from the beginning", {0: 8}, {}, {0: 4}, {0: 12}, {0: 4}),
            ("where retention overtook the stream", {}, {0: 2}, {0: 4}, {0: 12}, {0: 4}),
            ("where the topic was made anew", {}, {0: 99}, {0: 0}, {0: 3}, {0: 0}),
        ]
        for name, wanted, reached, first, end, expected in cases:
            with self.subTest(name):
                self.assertEqual(start_offsets(wanted, reached, first, end), expected)


class CheckOffsets(unittest.TestCase):
    def test_refuses_what_is_not_there_and_what_would_be_skipped(self):
        cases = [
            ({6: 0}, "there is no partition 6; the topic has 0 to 1"),
            ({1: 8}, "offset 8 of partition 1 is ahead of the stream, which stands at 7"),
        ]
        for wanted, words in cases:
            with self.subTest(words), self.assertRaises(ReplayRefused) as caught:
                check_offsets(wanted, {0: 9, 1: 7}, {0: 12, 1: 8})
            self.assertIn(words, str(caught.exception))
        check_offsets({0: 9, 1: 0}, {0: 9, 1: 7}, {0: 12, 1: 8})


class Generations(unittest.TestCase):
    def test_each_has_its_own_checkpoint(self):
        self.assertEqual(Generation().location("file:///c"), "file:///c")
        self.assertEqual(Generation(2, {"timeMs": 0}, {"0": 1}).location("file:///c"), "file:///c/replay-2")

    def test_the_first_begins_where_the_topic_does(self):
        self.assertEqual(Generation().starting_offsets("users"), "earliest")
        self.assertEqual(Generation(1, None, {"0": 1}).starting_offsets("users"), {"users": {"0": 1}})


if __name__ == "__main__":
    unittest.main()
