"""The job's configuration: its sections of config.json, checked, and the credentials of the environment."""

import json
import re
from dataclasses import dataclass
from typing import Any, Mapping

CONFIG_FILE = "/etc/userstream/config.json"
SASL_MECHANISMS = ("plain", "scram-sha-256", "scram-sha-512")
#: The longest that the resource may ask for: Spark reckons with it in microseconds.
LONGEST_TRIGGER_MS = 366 * 24 * 3600 * 1000
CQL_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")


class ConfigError(Exception):
    """A configuration that can't be used; the message names each field and its fault."""


@dataclass(frozen=True)
class Pipeline:
    namespace: str
    name: str


@dataclass(frozen=True)
class Kafka:
    bootstrap_servers: tuple[str, ...]
    tls: bool
    sasl_mechanism: str | None
    topic: str
    dead_letter_topic: str


@dataclass(frozen=True)
class SchemaRegistry:
    url: str
    subject: str


@dataclass(frozen=True)
class Cassandra:
    contact_points: tuple[str, ...]
    port: int
    local_datacenter: str
    keyspace: str
    table: str
    tls: bool


@dataclass(frozen=True)
class Stream:
    sql: str
    trigger_ms: int
    max_offsets_per_trigger: int
    checkpoint_location: str
    #: {"timeMs": milliseconds since 1970} or {"offsets": {partition: offset}}; None: from where it stands.
    replay_from: dict | None


@dataclass(frozen=True)
class Config:
    pipeline: Pipeline
    kafka: Kafka
    schema_registry: SchemaRegistry
    cassandra: Cassandra
    spark: Stream


class _Section:
    """Reads the fields of one section and keeps what is wrong with them."""

    def __init__(self, document: Mapping[str, Any], name: str, faults: list[str]):
        self._name, self._faults = name, faults
        found = document.get(name)
        self._values: dict | None = found if isinstance(found, dict) else None
        if self._values is None:
            faults.append(f"{name}: must be an object")

    def read(self, field: str, fits, expected: str) -> Any:
        if self._values is None:
            return None
        value = self._values.get(field)
        if not fits(value):
            self._faults.append(f"{self._name}.{field}: must be {expected}, not {json.dumps(value)}")
        return value

    def text(self, field: str) -> Any:
        return self.read(field, lambda value: isinstance(value, str) and value.strip(), "a text that isn't empty")

    def matching(self, field: str, pattern: re.Pattern[str]) -> Any:
        return self.read(
            field, lambda value: isinstance(value, str) and pattern.fullmatch(value), f"a name like {pattern.pattern}"
        )

    def texts(self, field: str) -> tuple[str, ...]:
        fits = lambda value: isinstance(value, list) and value and all(isinstance(each, str) and each for each in value)
        return tuple(self.read(field, fits, "a list of texts, one at least") or ())

    def whole(self, field: str, most: int = 2**31 - 1) -> Any:
        fits = lambda value: type(value) is int and 1 <= value <= most
        return self.read(field, fits, f"a whole number from 1 to {most}")

    def flag(self, field: str) -> Any:
        return self.read(field, lambda value: isinstance(value, bool), "true or false")

    def replay(self, field: str) -> Any:
        return self.read(field, _is_replay, 'absent, {"timeMs": …} or {"offsets": {"0": …}}')

    def choice(self, field: str, choices: tuple[str, ...]) -> Any:
        return self.read(field, lambda value: value is None or value in choices, f"one of {', '.join(choices)}")


def _is_replay(value: Any) -> bool:
    whole = lambda number: type(number) is int and number >= 0
    match value:
        case None:
            return True
        case {"timeMs": time, **rest}:
            return whole(time) and not rest
        case {"offsets": {**offsets}, **rest}:
            return bool(offsets) and not rest and all(each.isdecimal() and whole(at) for each, at in offsets.items())
    return False


def parse_config(document: Any, origin: str) -> Config:
    """Checks `document`. Raises ConfigError naming every field that is wrong, as `kafka.topic: …`."""
    if not isinstance(document, dict):
        raise ConfigError(f"{origin} is not usable: it must be a JSON object")
    faults: list[str] = []
    pipeline, kafka, registry, cassandra, spark = (
        _Section(document, name, faults) for name in ("pipeline", "kafka", "schemaRegistry", "cassandra", "spark")
    )
    config = Config(
        Pipeline(pipeline.text("namespace"), pipeline.text("name")),
        Kafka(
            kafka.texts("bootstrapServers"),
            kafka.flag("tls"),
            kafka.choice("saslMechanism", SASL_MECHANISMS),
            kafka.text("topic"),
            kafka.text("deadLetterTopic"),
        ),
        SchemaRegistry(registry.matching("url", re.compile(r"https?://.+")), registry.text("subject")),
        Cassandra(
            cassandra.texts("contactPoints"),
            cassandra.whole("port", 65535),
            cassandra.text("localDatacenter"),
            cassandra.matching("keyspace", CQL_NAME),
            cassandra.matching("table", CQL_NAME),
            cassandra.flag("tls"),
        ),
        Stream(
            spark.text("sql"),
            spark.whole("triggerMs", LONGEST_TRIGGER_MS),
            spark.whole("maxOffsetsPerTrigger"),
            spark.text("checkpointLocation"),
            spark.replay("replayFrom"),
        ),
    )
    if faults:
        raise ConfigError(f"{origin} is not usable: {'; '.join(faults)}")
    return config


def read_config(env: Mapping[str, str]) -> Config:
    """Reads the file that USERSTREAM_CONFIG names, or the one that the operator mounts. Raises ConfigError."""
    path = env.get("USERSTREAM_CONFIG") or CONFIG_FILE
    try:
        with open(path, encoding="utf-8") as file:
            return parse_config(json.load(file), path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} can't be read: {error}") from error


def credentials(env: Mapping[str, str], system: str) -> tuple[str, str] | None:
    """User name and password of `system` (KAFKA, SCHEMA_REGISTRY, CASSANDRA), or None. Raises ConfigError on half."""
    username, password = env.get(f"{system}_USERNAME"), env.get(f"{system}_PASSWORD")
    if username is None and password is None:
        return None
    if not username or not password:
        raise ConfigError(f"{system}_USERNAME and {system}_PASSWORD must be set together, or neither")
    return username, password


def ca_certificate(env: Mapping[str, str], system: str) -> str | None:
    """The PEM text in the file that `<SYSTEM>_CA_FILE` names, or None. Raises ConfigError when it can't be read."""
    path = env.get(f"{system}_CA_FILE")
    if not path:
        return None
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise ConfigError(f"{system}_CA_FILE: {path} can't be read: {error}") from error
