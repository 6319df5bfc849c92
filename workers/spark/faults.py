"""Says which stage a fault comes from and what to do next, from the text of the error."""

from config import Cassandra, Config
from status import StageError

#: Words of a Java or Python error → (reason, what to do next); the first that is found counts.
KAFKA = (
    ("UnknownTopicOrPartition", "TopicMissing", "the provision job creates it: see its logs"),
    ("Authentication", "KafkaAccessDenied", "check the credentials and the ACLs of the user"),
    ("Authorization", "KafkaAccessDenied", "check the credentials and the ACLs of the user"),
    ("", "BrokerUnreachable", "check that the brokers are up and that bootstrapServers can be reached from this pod"),
)
CASSANDRA = (
    ("AuthenticationFailed", "CassandraAccessDenied", "check the credentials Secret"),
    ("Unauthorized", "CassandraAccessDenied", "check the rights of the user"),
    ("NoHostAvailable", "CassandraUnreachable", "check that a node is up and can be reached from this pod"),
    ("OperationTimedOut", "CassandraUnreachable", "check that a node is up and can be reached from this pod"),
    ("Unavailable", "NotEnoughReplicas", "bring the nodes that are down back: writes need a local quorum"),
    ("Timeout", "CassandraOverloaded", "see its logs; lower spark.maxOffsetsPerTrigger or add nodes"),
    ("", "CassandraError", "see its logs; it is tried again"),
)
LONGEST = 500


def cassandra_fault(cassandra: Cassandra, said: str) -> StageError:
    """The StageError for an error of the Cassandra driver that reads `said`."""
    where = f"Cassandra at {','.join(cassandra.contact_points)}:{cassandra.port}"
    reason, advice = _advice(CASSANDRA, said)
    return StageError("Cassandra", reason, f"{where}: {_cause(said, 'cassandra.')}; {advice}")


def fault_of(config: Config, error: BaseException) -> StageError:
    """The StageError that any error of the stream amounts to."""
    said = str(error)
    if isinstance(error, StageError):
        return error
    if "cassandra." in said:
        return cassandra_fault(config.cassandra, said)
    if "org.apache.kafka" in said:
        reason, advice = _advice(KAFKA, said)
        where = ",".join(config.kafka.bootstrap_servers)
        return StageError("Kafka", reason, f"Kafka at {where}: {_cause(said, 'org.apache.kafka')}; {advice}")
    return StageError("Spark", "QueryFailed", f"{_cause(said, '')}; it is started again from its checkpoint")


def _advice(table, said: str) -> tuple[str, str]:
    return next((reason, advice) for words, reason, advice in table if words in said)


def _cause(said: str, mark: str) -> str:
    """The last line that has `mark` in it: wrapped errors end with what happened first."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.strip().startswith("at ")]
    marked = [line for line in lines if mark in line] if mark else lines[:1]
    return (marked or [said])[-1][:LONGEST]
