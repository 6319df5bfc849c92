import unittest
from itertools import count
from types import SimpleNamespace

try:
    from replay import Generation, of_pod, of_topic, with_all_partitions
    from watch import LogReplaced, Watch
except ImportError as error:
    raise unittest.SkipTest("pyspark is not installed") from error


class Topic(SimpleNamespace):
    """A topic with a beginning and an end."""

    def id(self):
        return self.topic_id

    def bounds(self):
        return self.begins, self.ends


class Planned(SimpleNamespace):
    """A checkpoint whose batches end at these offsets; the last one is not committed."""

    def batch_end(self, batch_id):
        return self.batches[batch_id]

    def batch_start(self, batch_id):
        return self.batches[batch_id - 1] if batch_id else {}

    def reached(self):
        return self.batch_start(len(self.batches) - 1)

    def shrinks(self):
        return self.goes_back

    def planned(self):
        return self.batches[-1]


class Growing:
    """A topic, and the checkpoint of a driver that plans all of it at once: with each question there is one record more."""

    def __init__(self):
        self.records = count(1)

    def id(self):
        return "a"

    def bounds(self):
        return {0: 0}, {0: next(self.records)}

    def shrinks(self):
        return False

    def planned(self):
        return {0: next(self.records)}


class Told:
    """What the gaps were told."""

    def __init__(self):
        self.said = []

    def removed(self, read, first):
        self.said.append((read, first))

    def made_anew(self, before):
        self.said.append(before)

    def are_behind(self, start):
        return start == {0: 7}


BATCHES = Planned(batches=[{0: 5}, {0: 9, 1: 2}, {0: 4, 1: 2}], goes_back=False)
TOPIC = Topic(topic_id="a", begins={0: 6, 1: 0}, ends={0: 9, 1: 2})


class Batch(unittest.TestCase):
    def setUp(self):
        self.told = Told()

    def watch(self, **generation) -> Watch:
        return Watch(BATCHES, Generation(**{"topic_id": "a", **generation}), TOPIC, self.told)

    def test_what_lies_before_it_was_read(self):
        self.watch().batch(1)
        self.watch().batch(0)
        self.assertEqual(self.told.said, [({0: 5}, TOPIC.begins), ({}, TOPIC.begins)])

    def test_so_was_what_a_replay_reads_again(self):
        self.watch(known={"0": 8, "2": 3}).batch(1)
        self.watch(known={"0": 8}).start()
        self.assertEqual([read for read, _ in self.told.said], [{0: 8, 2: 3}, {0: 9, 1: 2}])

    def test_is_not_committed_where_another_log_was_read(self):
        for name, topic_id, batch in [("another topic", "b", 1), ("a partition that lost its end", "a", 2)]:
            with self.subTest(name), self.assertRaises(LogReplaced):
                self.watch(topic_id=topic_id).batch(batch)
        with self.assertRaises(LogReplaced):
            self.watch(topic_id="b").topic()
        shorter = Topic(topic_id="a", begins={0: 0, 1: 0}, ends={0: 8, 1: 2})
        with self.assertRaises(LogReplaced):
            Watch(BATCHES, Generation(topic_id="a"), shorter, self.told).batch(1)
        self.assertEqual(self.told.said, [])

    def test_has_a_snapshot_where_it_comes_to_its_end_without_a_gap(self):
        cases = [
            ({0: 7}, {0: 9, 1: 2}, True),
            ({0: 7}, {0: 9, 1: 3}, False),
            ({0: 6}, {0: 9, 1: 2}, False),
            ({0: 7}, {0: 6, 1: 2}, False),
        ]
        for start, end, expected in cases:
            with self.subTest(f"{start} to {end}"):
                self.assertEqual(self.watch().has_snapshot(1, start, end), expected)


class OfTopic(unittest.TestCase):
    def test_a_generation_goes_on_and_notes_the_topic(self):
        told = Told()
        for topic_id in ("", "a"):
            last = Generation(2, {"timeMs": 0}, {"0": 1}, {"0": 8}, topic_id)
            self.assertEqual(of_topic(TOPIC, last, BATCHES, told), last._replace(topic_id="a"))
        self.assertEqual(told.said, [])

    def test_another_topic_is_read_from_its_beginning_and_repaired_by_an_epoch_of_its_own(self):
        told = Told()
        generation = of_topic(TOPIC, Generation(2, {"timeMs": 0}, {"0": 1}, {"0": 8}, "b"), BATCHES, told)
        self.assertEqual(generation, Generation(3, {"timeMs": 0}, {"0": 6, "1": 0}, {}, "a"))
        self.assertEqual(told.said, [TOPIC.begins])

    def test_a_topic_that_lost_an_end_is_read_again_and_repaired_by_an_epoch_from_here_on(self):
        told = Told()
        shrunk = Planned(batches=BATCHES.batches, goes_back=True)
        generation = of_topic(TOPIC, Generation(topic_id="a"), shrunk, told)
        self.assertEqual(generation, Generation(1, None, {"0": 6, "1": 0}, {}, "a"))
        self.assertEqual(told.said, [TOPIC.ends])

    def test_so_is_one_that_is_shorter_than_what_was_planned(self):
        told = Told()
        shorter = Topic(topic_id="a", begins={0: 0, 1: 0}, ends={0: 3, 1: 2})
        generation = of_topic(shorter, Generation(topic_id="a"), BATCHES, told)
        self.assertEqual(generation, Generation(1, None, {"0": 0, "1": 0}, {}, "a"))
        self.assertEqual(told.said, [shorter.ends])

    def test_a_topic_that_grows_while_another_driver_plans_has_lost_nothing(self):
        growing = Growing()
        self.assertEqual(of_topic(growing, Generation(topic_id="a"), growing, Told()), Generation(topic_id="a"))


class OfPod(unittest.TestCase):
    LAST = Generation(2, {"timeMs": 0}, {"0": 1}, {"0": 8}, "a", "first")

    def test_the_same_goes_on(self):
        self.assertEqual(of_pod("first", self.LAST, BATCHES, TOPIC), self.LAST)

    def test_another_goes_on_from_what_was_done_where_nobody_else_plans(self):
        begun = Planned(batches=[{0: 7, 1: 1}, {0: 9, 1: 2}])
        expected = Generation(3, {"timeMs": 0}, {"0": 7, "1": 1}, {"0": 8, "1": 1}, "a", "second")
        self.assertEqual(of_pod("second", self.LAST, begun, TOPIC), expected)

    def test_another_begins_where_its_predecessor_had_to(self):
        expected = Generation(3, {"timeMs": 0}, {"0": 6, "1": 0}, {"0": 8}, "a", "second")
        self.assertEqual(of_pod("second", self.LAST, Planned(batches=[{0: 9, 1: 2}]), TOPIC), expected)

    def test_another_takes_up_what_nobody_has_begun(self):
        nothing = SimpleNamespace(planned=dict)
        self.assertEqual(of_pod("second", self.LAST, nothing, TOPIC), self.LAST._replace(pod="second"))


class AllPartitions(unittest.TestCase):
    TOPIC = Topic(topic_id="a", begins={0: 0, 1: 3}, ends={0: 9, 1: 5})

    def start(self, generation: Generation, planned: dict) -> dict | None:
        return with_all_partitions(generation, SimpleNamespace(planned=lambda: planned), self.TOPIC).start

    def test_one_that_came_before_the_first_batch_is_read_from_its_beginning(self):
        self.assertEqual(self.start(Generation(1, None, {"0": 7}), {}), {"0": 7, "1": 3})

    def test_what_was_planned_stays(self):
        self.assertEqual(self.start(Generation(1, None, {"0": 7}), {0: 8}), {"0": 7})

    def test_so_does_a_stream_that_begins_where_the_topic_does(self):
        self.assertIsNone(self.start(Generation(), {}))


if __name__ == "__main__":
    unittest.main()
