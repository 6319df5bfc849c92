"""Brings the Cassandra table and the columns of the SQL together, before anything is written."""

from typing import Iterable, Mapping

from config import Cassandra
from cql import Column, Target, open_cluster, table_name
from faults import cassandra_fault
from status import StageError

ID_TYPES = ("uuid", "text")


def missing_columns(wanted: Iterable[Column], existing: Mapping[str, str]) -> list[Column]:
    """The columns that the table lacks. Raises StageError SqlInvalid where one exists with another type."""
    missing = []
    for column in wanted:
        found = existing.get(column.name)
        if found is None:
            missing.append(column)
        elif found != column.cql_type:
            raise StageError(
                "Spark",
                "SqlInvalid",
                f"spark.sql: column {column.name} is {column.cql_type}, in the table it is {found}: "
                "cast it or give it another name",
            )
    return missing


def fit_table(cassandra: Cassandra, columns: tuple[Column, ...], env: Mapping[str, str]) -> Target:
    """
    Adds the columns that the table lacks and gives the target of the writes.
    Raises StageError: what doesn't fit, or Cassandra's fault.
    """
    cluster = None
    try:
        cluster = open_cluster(cassandra, env)
        session = cluster.connect()
        existing = _existing_columns(session, cassandra)
        for column in missing_columns(columns, existing):
            session.execute(f'ALTER TABLE {table_name(cassandra)} ADD "{column.name}" {column.cql_type}', timeout=60)
        return Target(cassandra, existing["id"], columns)
    except StageError:
        raise
    except Exception as error:
        raise cassandra_fault(cassandra, f"{type(error).__module__}.{type(error).__name__}: {error}") from error
    finally:
        if cluster:
            cluster.shutdown()


def _existing_columns(session, cassandra: Cassandra) -> dict[str, str]:
    rows = session.execute(
        "SELECT column_name, type, kind FROM system_schema.columns WHERE keyspace_name = %s AND table_name = %s",
        (cassandra.keyspace, cassandra.table),
    )
    rows = list(rows)
    existing = {row.column_name: row.type for row in rows}
    key = [row.column_name for row in rows if row.kind in ("partition_key", "clustering")]
    name = f"{cassandra.keyspace}.{cassandra.table}"
    if not existing:
        raise StageError(
            "Cassandra", "TableMissing", f"there is no table {name}: the provision job makes it, see its logs"
        )
    if key != ["id"] or existing["id"] not in ID_TYPES:
        found = ", ".join(f"{column} {existing[column]}" for column in key)
        wanted = "its primary key must be id, of type uuid or text"
        raise StageError("Cassandra", "TableUnfit", f"{name}: {wanted}, not ({found}); name another cassandra.table")
    return existing
