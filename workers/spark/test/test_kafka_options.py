import tempfile
import unittest
from dataclasses import replace

from config import ConfigError, parse_config
from kafka_options import kafka_options, letter_options, source_options
from test_config import GOOD

KAFKA = parse_config(GOOD, "config.json").kafka
LOGIN = {"KAFKA_USERNAME": "reader", "KAFKA_PASSWORD": 'a"b\\c'}


class KafkaOptions(unittest.TestCase):
    def test_plain(self):
        options = kafka_options(KAFKA, {})
        self.assertEqual(options["kafka.security.protocol"], "PLAINTEXT")
        self.assertNotIn("kafka.sasl.jaas.config", options)

    def test_scram_over_tls_quotes_the_password_and_carries_the_certificate(self):
        with tempfile.NamedTemporaryFile("w") as ca:
            ca.write("CERTIFICATE")
            ca.flush()
            options = kafka_options(
                replace(KAFKA, tls=True, sasl_mechanism="scram-sha-512"), {**LOGIN, "KAFKA_CA_FILE": ca.name}
            )
        self.assertEqual(options["kafka.security.protocol"], "SASL_SSL")
        self.assertEqual(options["kafka.sasl.mechanism"], "SCRAM-SHA-512")
        self.assertIn('username="reader" password="a\\"b\\\\c";', options["kafka.sasl.jaas.config"])
        self.assertEqual(options["kafka.ssl.truststore.certificates"], "CERTIFICATE")

    def test_a_mechanism_needs_credentials(self):
        with self.assertRaisesRegex(ConfigError, "kafka.saslMechanism is plain"):
            kafka_options(replace(KAFKA, sasl_mechanism="plain"), {})

    def test_the_source_starts_at_the_beginning_and_reads_headers(self):
        options = source_options(KAFKA, {}, 500, "earliest")
        self.assertEqual(options["startingOffsets"], "earliest")
        self.assertEqual(options["includeHeaders"], "true")
        self.assertEqual(options["maxOffsetsPerTrigger"], "500")

    def test_a_replay_starts_at_its_offsets(self):
        options = source_options(KAFKA, {}, 500, {"users": {"0": 7}})
        self.assertEqual(options["startingOffsets"], '{"users": {"0": 7}}')

    def test_dead_letters_go_to_their_own_topic(self):
        self.assertEqual(letter_options(KAFKA, {})["topic"], KAFKA.dead_letter_topic)
