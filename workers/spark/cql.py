"""How the job speaks to Cassandra: the connection, the types, the statements."""

import os
import ssl
from typing import Mapping, NamedTuple

from config import Cassandra, ca_certificate, credentials

#: Cassandra's type for each of Spark's that a column of the SQL may have.
CQL_TYPES = {
    "string": "text",
    "timestamp": "timestamp",
    "date": "date",
    "int": "int",
    "bigint": "bigint",
    "float": "float",
    "double": "double",
    "boolean": "boolean",
}
#: Days between Cassandra's first date and 1970.
DATE_OFFSET = 2**31


class Column(NamedTuple):
    name: str
    cql_type: str


class Target(NamedTuple):
    """Where rows go, as the executors need to know it. `columns` are those beside the id, in the rows' order."""

    cassandra: Cassandra
    id_type: str
    columns: tuple[Column, ...]


def open_cluster(cassandra: Cassandra, env: Mapping[str, str] = os.environ):
    """A driver's Cluster for `cassandra`, not connected yet; with tls the server's certificate is always verified."""
    from cassandra import ConsistencyLevel, ProtocolVersion
    from cassandra.auth import PlainTextAuthProvider
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
    from cassandra.policies import DCAwareRoundRobinPolicy, TokenAwarePolicy

    login = credentials(env, "CASSANDRA")
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(cassandra.local_datacenter)),
        consistency_level=ConsistencyLevel.LOCAL_QUORUM,
        request_timeout=20,
    )
    return Cluster(
        contact_points=list(cassandra.contact_points),
        port=cassandra.port,
        auth_provider=PlainTextAuthProvider(*login) if login else None,
        ssl_context=ssl.create_default_context(cadata=ca_certificate(env, "CASSANDRA")) if cassandra.tls else None,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        # Spoken by every release from 2.2 to 5.0, and its frames need no checksum computed in Python.
        protocol_version=ProtocolVersion.V4,
        connect_timeout=10,
    )


def table_name(cassandra: Cassandra) -> str:
    return f'"{cassandra.keyspace}"."{cassandra.table}"'


def insert_statement(target: Target) -> str:
    """Binds the id, the columns, then the version."""
    names = ["id", *(column.name for column in target.columns)]
    quoted = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" for _ in names)
    return f"INSERT INTO {table_name(target.cassandra)} ({quoted}) VALUES ({marks}) USING TIMESTAMP ?"


def delete_statement(target: Target) -> str:
    """Binds the version, then the id."""
    return f'DELETE FROM {table_name(target.cassandra)} USING TIMESTAMP ? WHERE "id" = ?'


def sweep_statement(target: Target) -> str:
    """The ids within a range of tokens, each with the versions of its columns. Binds the range's bounds."""
    written = "".join(f', writetime("{column.name}")' for column in target.columns)
    return f'SELECT "id"{written} FROM {table_name(target.cassandra)} WHERE token("id") > ? AND token("id") <= ?'


def wire_expression(column: Column) -> str:
    """The SQL that turns a column into what the driver packs without a detour through Python's own dates."""
    if column.cql_type == "timestamp":
        return f"unix_millis(`{column.name}`)"
    if column.cql_type == "date":
        return f"unix_date(`{column.name}`) + {DATE_OFFSET}L"
    return f"`{column.name}`"
