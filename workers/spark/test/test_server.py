import json
import unittest
import urllib.error
import urllib.request
from datetime import UTC, datetime

try:
    from prometheus_client import CollectorRegistry, generate_latest
except ImportError as error:
    raise unittest.SkipTest("prometheus-client is not installed") from error

from latency import measured, together
from metrics import Metrics, lag_of
from outcome import Outcome, Refusal, total
from server import serve
from status import StageError, Status

BATCH = {"numInputRows": 5, "inputRowsPerSecond": 12.5, "durationMs": {"triggerExecution": 400}, "sources": []}
IDLE = {"numInputRows": 0, "inputRowsPerSecond": 0.0, "durationMs": {"triggerExecution": 3}, "sources": []}


def shout(body: str) -> str:
    if not body:
        raise StageError("Spark", "NotPlanned", "not yet")
    return body.upper()


class Http(unittest.TestCase):
    def setUp(self):
        self.status, registry = Status(600), CollectorRegistry()
        self.metrics = Metrics(registry)
        server = serve(self.status, registry, 0, shout)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    def get(self, path: str, body: str | None = None) -> tuple[int, str]:
        try:
            data = None if body is None else body.encode()
            with urllib.request.urlopen(self.url + path, data, timeout=5) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def test_readyz_says_why_not(self):
        self.status.not_ready("Spark", "SqlInvalid", "spark.sql: no id")
        code, body = self.get("/readyz")
        self.assertEqual(code, 503)
        self.assertEqual(
            json.loads(body), {"ready": False, "stage": "Spark", "reason": "SqlInvalid", "message": "spark.sql: no id"}
        )

    def test_readyz_carries_the_figures(self):
        self.metrics.progress(BATCH)
        self.status.ready(self.metrics.figures)
        code, body = self.get("/readyz")
        self.assertEqual(code, 200)
        figures = {"inputRowsPerSecond": 12.5, "batchDurationMs": 400, "rows": 0, "usersPerMinute": 0, "lag": 0}
        self.assertEqual(json.loads(body)["figures"], figures)

    def test_project_answers_with_what_becomes_of_the_body(self):
        self.assertEqual(self.get("/project", "zoë\n𝕬"), (200, "ZOË\n𝕬"))

    def test_project_says_why_not(self):
        code, body = self.get("/project", "")
        self.assertEqual((code, json.loads(body)), (503, {"reason": "NotPlanned", "message": "not yet"}))

    def test_nothing_else_takes_a_body(self):
        self.assertEqual(self.get("/readyz", "x")[0], 400)

    def test_metrics_and_health(self):
        self.metrics.count(Outcome(upserts=3, deletes=1, unreadable=1, refused=(Refusal("a", 1, "too large"),)))
        self.assertIn("userstream_spark_dead_letters_total 2.0", self.get("/metrics")[1])
        self.assertEqual(self.get("/healthz")[0], 200)
        self.assertEqual(self.get("/")[0], 404)


class Progress(unittest.TestCase):
    def test_an_idle_look_keeps_the_duration_of_the_last_batch(self):
        metrics = Metrics(CollectorRegistry())
        metrics.progress(BATCH)
        metrics.progress(IDLE)
        figures = metrics.figures()
        self.assertEqual((figures["inputRowsPerSecond"], figures["batchDurationMs"]), (0, 400))

    def test_users_of_the_last_minute(self):
        now = [0.0]
        metrics = Metrics(CollectorRegistry(), lambda: now[0])
        for at, upserts in [(0, 5), (30, 7), (59, 1)]:
            now[0] = at
            metrics.count(Outcome(upserts, 1))
        self.assertEqual(metrics.figures()["usersPerMinute"], 16)
        now[0] = 89
        self.assertEqual(metrics.figures()["usersPerMinute"], 10)
        now[0] = 200
        self.assertEqual((metrics.figures()["usersPerMinute"], metrics.figures()["rows"]), (0, 16))

    def test_the_last_look_at_which_the_topic_was_read_to_its_end_grows_old(self):
        now = datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC)
        metrics = Metrics(CollectorRegistry(), lambda: 0.0, now.timestamp)
        cases = [
            ("nothing known", None, None, None),
            ("behind", {"users": {"0": 5}}, {"users": {"0": 9}}, None),
            ("at the end", {"users": {"0": 9}}, {"users": {"0": 9}}, 6000),
            ("behind again", {"users": {"0": 9}}, {"users": {"0": 12}}, 6000),
        ]
        for name, end, latest, expected in cases:
            with self.subTest(name):
                source = {"endOffset": end, "latestOffset": latest}
                metrics.progress({**IDLE, "timestamp": "2026-01-01T00:00:04.000Z", "sources": [source]})
                self.assertEqual(metrics.figures().get("readToEndAgoMs"), expected)

    def test_a_clock_that_was_set_back_makes_no_look_younger_than_it_is(self):
        clock, wall = [100.0], datetime(2026, 1, 1, tzinfo=UTC)
        metrics = Metrics(CollectorRegistry(), lambda: clock[0], wall.timestamp)
        source = {"endOffset": {"users": {"0": 9}}, "latestOffset": {"users": {"0": 9}}}
        look = {"timestamp": "2026-01-01T01:00:00.000Z", "durationMs": {"triggerExecution": 7000}, "sources": [source]}
        metrics.progress({**BATCH, **look})
        clock[0] = 103.0
        self.assertEqual(metrics.figures()["readToEndAgoMs"], 10_000)

    def test_lag_is_what_the_topic_has_and_the_query_has_not_read(self):
        source = {"endOffset": {"users": {"0": 5}}, "latestOffset": {"users": {"0": 9, "1": 2}}}
        self.assertEqual(lag_of({"sources": [source]}), 6)
        self.assertEqual(lag_of({"sources": [{"endOffset": None, "latestOffset": None}]}), 0)

    def test_outcomes_add_up(self):
        fast, slow = (measured([0], after) for after in (200, 2000))
        refusal = Refusal("a", 1, "too large")
        one = Outcome(1, 2, 3, 0, frozenset({4}), (refusal,), fast)
        both = total([one, Outcome(1, 0, 0, 1, frozenset({5}), (), slow)])
        self.assertEqual(both, Outcome(2, 2, 3, 1, frozenset({4, 5}), (refusal,), together([fast, slow])))
        self.assertEqual(both.dead_letters, 4)


class Latency(unittest.TestCase):
    def test_figures_are_of_the_last_minute_in_which_users_arrived(self):
        now = [0.0]
        metrics = Metrics(CollectorRegistry(), lambda: now[0])
        self.assertNotIn("latencyP50Ms", metrics.figures())
        metrics.count(Outcome(3, latencies=measured([0, 0, 0], 40_000)))
        now[0] = 100
        metrics.count(Outcome(2, latencies=measured([0, 0], 200)))
        metrics.count(Outcome(1, 0, latencies=measured([None], 200)))
        self.assertEqual((metrics.figures()["latencyP50Ms"], metrics.figures()["latencyP99Ms"]), (175, 248))

    def test_is_a_histogram_for_prometheus(self):
        registry = CollectorRegistry()
        metrics = Metrics(registry)
        for after in (200, 2000, 9_000_000):
            metrics.count(Outcome(1, latencies=measured([0], after)))
        text = generate_latest(registry).decode()
        for bucket, count in [("0.1", 0), ("0.25", 1), ("2.0", 2), ("3600.0", 2), ("+Inf", 3)]:
            self.assertIn(f'userstream_spark_latency_seconds_bucket{{le="{bucket}"}} {count}.0', text)
        self.assertIn("userstream_spark_latency_seconds_count 3.0", text)
        self.assertIn("userstream_spark_latency_seconds_sum 9002.2", text)
