"""Spark's options for Kafka, the source's and the sink's alike."""

import json
from typing import Mapping

from config import ConfigError, Kafka, ca_certificate, credentials

JAAS = {
    "plain": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "scram-sha-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "scram-sha-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}

LONGEST_LETTER = 64 * 1024 * 1024


def kafka_options(kafka: Kafka, env: Mapping[str, str]) -> dict[str, str]:
    """How to reach Kafka. Raises ConfigError where a mechanism has no credentials."""
    protocol = ("SASL_" if kafka.sasl_mechanism else "") + ("SSL" if kafka.tls else "PLAINTEXT")
    options = {
        "kafka.bootstrap.servers": ",".join(kafka.bootstrap_servers),
        "kafka.security.protocol": protocol,
        # Kafka's own minute is too long to wait before the fault is told.
        "kafka.request.timeout.ms": "10000",
        "kafka.default.api.timeout.ms": "20000",
    }
    ca = ca_certificate(env, "KAFKA")
    if kafka.tls and ca:
        # The certificate itself, not a file's name: executors need no mount.
        options |= {"kafka.ssl.truststore.type": "PEM", "kafka.ssl.truststore.certificates": ca}
    return options | _sasl(kafka, env)


def source_options(kafka: Kafka, env: Mapping[str, str], max_offsets: int, start: dict | str) -> dict[str, str]:
    """The streaming source's options; `start` is where a stream without a checkpoint begins."""
    return kafka_options(kafka, env) | {
        "subscribe": kafka.topic,
        "startingOffsets": start if isinstance(start, str) else json.dumps(start),
        "includeHeaders": "true",
        "maxOffsetsPerTrigger": str(max_offsets),
        # Retention removes what a checkpoint still names; to stop for good would heal nothing. Watch notes what is skipped.
        "failOnDataLoss": "false",
        "kafkaConsumer.pollTimeoutMs": "30000",
        "fetchOffset.numRetries": "2",
    }


def letter_options(kafka: Kafka, env: Mapping[str, str]) -> dict[str, str]:
    """The options of writes to the dead-letter topic."""
    return kafka_options(kafka, env) | {
        "topic": kafka.dead_letter_topic,
        "includeHeaders": "true",
        "kafka.compression.type": "gzip",
        # What the broker took once it takes again: the limit is the topic's, not the producer's own of 1 MiB, nor its buffer's.
        "kafka.max.request.size": str(LONGEST_LETTER),
        "kafka.buffer.memory": str(LONGEST_LETTER),
        "kafka.delivery.timeout.ms": "30000",
    }


def _sasl(kafka: Kafka, env: Mapping[str, str]) -> dict[str, str]:
    mechanism = kafka.sasl_mechanism
    if not mechanism:
        return {}
    login = credentials(env, "KAFKA")
    if not login:
        raise ConfigError(f"kafka.saslMechanism is {mechanism}: set KAFKA_USERNAME and KAFKA_PASSWORD")
    username, password = (_quoted(text) for text in login)
    return {
        "kafka.sasl.mechanism": mechanism.upper(),
        "kafka.sasl.jaas.config": f"{JAAS[mechanism]} required username={username} password={password};",
    }


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
