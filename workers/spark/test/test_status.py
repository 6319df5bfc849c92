import io
import json
import unittest
from datetime import UTC, datetime

from config import Pipeline, parse_config
from faults import fault_of
from log import Log
from status import StageError, Status
from test_config import GOOD

CONFIG = parse_config(GOOD, "config.json")


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Alive(unittest.TestCase):
    def test_until_nothing_has_moved_for_the_bound(self):
        clock = Clock()
        status = Status(600, clock)
        clock.now = 599
        self.assertTrue(status.alive())
        clock.now = 601
        self.assertFalse(status.alive())
        status.beat()
        self.assertTrue(status.alive())


class Starting(unittest.TestCase):
    def test_does_not_hide_a_fault(self):
        status = Status(600)
        status.starting("the first micro-batch is under way")
        self.assertEqual(status.snapshot()["message"], "the first micro-batch is under way")
        status.not_ready("Cassandra", "CassandraUnreachable", "no node")
        status.starting("again")
        self.assertEqual(status.snapshot()["reason"], "CassandraUnreachable")


class Faults(unittest.TestCase):
    def test_tell_the_stage_and_the_next_step(self):
        cases = [
            (
                "x\n\tat y\ncassandra.cluster.NoHostAvailable: ('Unable to connect', {})\n",
                "Cassandra",
                "CassandraUnreachable",
            ),
            ("cassandra.AuthenticationFailed: bad credentials", "Cassandra", "CassandraAccessDenied"),
            (
                "Caused by: org.apache.kafka.common.errors.TimeoutException: describeTopics",
                "Kafka",
                "BrokerUnreachable",
            ),
            ("org.apache.kafka.common.errors.UnknownTopicOrPartitionException: no", "Kafka", "TopicMissing"),
            ("java.lang.IllegalStateException: who knows", "Spark", "QueryFailed"),
        ]
        for said, stage, reason in cases:
            with self.subTest(said):
                fault = fault_of(CONFIG, RuntimeError(said))
                self.assertEqual((fault.stage, fault.reason), (stage, reason))

    def test_a_stage_error_stays_what_it_is(self):
        fault = StageError("SchemaRegistry", "SchemaMissing", "none")
        self.assertIs(fault_of(CONFIG, fault), fault)


class Lines(unittest.TestCase):
    def test_are_json_like_the_other_workers(self):
        out = io.StringIO()
        Log(Pipeline("default", "users"), out, lambda: datetime(2024, 5, 1, tzinfo=UTC)).info("hello", rows=2)
        line = {
            "level": "info",
            "time": "2024-05-01T00:00:00.000Z",
            "worker": "spark",
            "namespace": "default",
            "pipeline": "users",
        }
        self.assertEqual(json.loads(out.getvalue()), {**line, "rows": 2, "msg": "hello"})
