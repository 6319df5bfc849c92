import unittest

from config import ConfigError, credentials, parse_config

GOOD = {
    "pipeline": {"namespace": "default", "name": "users"},
    "kafka": {
        "bootstrapServers": ["kafka.kafka.svc:9092"],
        "tls": False,
        "compression": "gzip",
        "topic": "default.users.users",
        "deadLetterTopic": "default.users.users.dead-letter",
    },
    "schemaRegistry": {
        "url": "http://users-registry.default.svc:8080/apis/ccompat/v7",
        "subject": "default.users.users-value",
    },
    "cassandra": {
        "contactPoints": ["users-cassandra.default.svc"],
        "port": 9042,
        "localDatacenter": "dc1",
        "keyspace": "userstream",
        "table": "users",
        "replicationFactor": 1,
        "tls": False,
    },
    "spark": {
        "sql": "SELECT * FROM users",
        "triggerMs": 1000,
        "maxOffsetsPerTrigger": 100000,
        "checkpointLocation": "file:///checkpoint",
    },
}


def changed(section: str, **fields):
    return {**GOOD, section: {**GOOD[section], **fields}}


class ParseConfig(unittest.TestCase):
    def test_reads_what_the_operator_writes(self):
        config = parse_config(GOOD, "config.json")
        self.assertEqual(config.kafka.bootstrap_servers, ("kafka.kafka.svc:9092",))
        self.assertIsNone(config.kafka.sasl_mechanism)
        self.assertEqual(config.spark.trigger_ms, 1000)
        self.assertIsNone(config.spark.replay_from)

    def test_takes_the_rarest_trigger_that_the_resource_may_ask_for(self):
        year = 366 * 24 * 3600 * 1000
        self.assertEqual(parse_config(changed("spark", triggerMs=year), "config.json").spark.trigger_ms, year)

    def test_reads_where_to_replay_from(self):
        for wish in ({"timeMs": 0}, {"offsets": {"0": 0, "11": 7}}):
            with self.subTest(wish):
                config = parse_config(changed("spark", replayFrom=wish), "config.json")
                self.assertEqual(config.spark.replay_from, wish)

    def test_names_each_field_that_is_wrong(self):
        cases = [
            (changed("kafka", topic=""), "kafka.topic: "),
            (changed("kafka", bootstrapServers=[]), "kafka.bootstrapServers: "),
            (
                changed("kafka", saslMechanism="gssapi"),
                'kafka.saslMechanism: must be one of plain, scram-sha-256, scram-sha-512, not "gssapi"',
            ),
            (changed("cassandra", keyspace="Users;"), "cassandra.keyspace: "),
            (changed("cassandra", port=0), "cassandra.port: must be a whole number from 1 to 65535, not 0"),
            (changed("cassandra", tls="yes"), "cassandra.tls: "),
            (changed("schemaRegistry", url="registry:8080"), "schemaRegistry.url: "),
            (changed("spark", triggerMs=True), "spark.triggerMs: "),
            (changed("spark", replayFrom="earliest"), "spark.replayFrom: "),
            (changed("spark", replayFrom={"timeMs": 1.5}), "spark.replayFrom: "),
            (changed("spark", replayFrom={"offsets": {}}), "spark.replayFrom: "),
            (changed("spark", replayFrom={"offsets": {"0": -1}}), "spark.replayFrom: "),
            (changed("spark", replayFrom={"offsets": {"zero": 1}}), "spark.replayFrom: "),
            (changed("spark", replayFrom={"timeMs": 1, "offsets": {"0": 1}}), "spark.replayFrom: "),
            ({name: GOOD[name] for name in GOOD if name != "spark"}, "spark: must be an object"),
            ([], "must be a JSON object"),
        ]
        for document, words in cases:
            with self.subTest(words), self.assertRaisesRegex(ConfigError, "config.json is not usable") as caught:
                parse_config(document, "config.json")
            self.assertIn(words, str(caught.exception))

    def test_names_all_of_them_at_once(self):
        with self.assertRaises(ConfigError) as caught:
            parse_config({**changed("kafka", topic=None), "cassandra": {}}, "config.json")
        self.assertIn("kafka.topic", str(caught.exception))
        self.assertIn("cassandra.contactPoints", str(caught.exception))


class Credentials(unittest.TestCase):
    def test_come_in_pairs_or_not_at_all(self):
        self.assertIsNone(credentials({}, "KAFKA"))
        self.assertEqual(credentials({"KAFKA_USERNAME": "u", "KAFKA_PASSWORD": "p"}, "KAFKA"), ("u", "p"))
        with self.assertRaisesRegex(ConfigError, "KAFKA_USERNAME and KAFKA_PASSWORD"):
            credentials({"KAFKA_USERNAME": "u"}, "KAFKA")
