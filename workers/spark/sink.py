"""Runs on the executors: writes one partition's rows to Cassandra, each with its version as the write's timestamp."""

from collections import Counter
from itertools import islice
from typing import Iterable, Iterator
from uuid import UUID

from cql import Target, delete_statement, insert_statement, open_cluster
from outcome import UNKNOWN_SCHEMA, Outcome

#: Requests in flight a session; and rows taken from Spark at a time.
CONCURRENCY, CHUNK = 128, 2000


# A Python worker process serves many tasks one after another: one connection a process, not one a task.
_sessions: dict = {}


def write_partition(rows: Iterable, target: Target) -> Iterator[Outcome]:
    """
    Rows are (id, version, reason, schema_id, tombstone, kept, *columns). Yields the one Outcome.
    Raises the driver's error when a write fails; what was written before is written again by the next try.
    """
    counts, unknown = Counter(), set()
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        readable = [row for row in chunk if row[2] is None]
        counts["unreadable"] += len(chunk) - len(readable)
        unknown.update(row[3] for row in chunk if row[2] == UNKNOWN_SCHEMA)
        newest = newest_by_id(readable)
        counts["upserts"] += sum(map(is_upsert, newest))
        counts["deletes"] += len(newest) - sum(map(is_upsert, newest))
        _write(newest, target)
    yield Outcome(counts["upserts"], counts["deletes"], counts["unreadable"], frozenset(unknown))


def newest_by_id(rows: Iterable) -> list:
    """Of the rows with one id the one with the highest version: the others would be written in vain."""
    newest: dict = {}
    for row in rows:
        known = newest.get(row[0])
        if known is None or known[1] <= row[1]:
            newest[row[0]] = row
    return [*newest.values()]


def is_upsert(row) -> bool:
    """A tombstone and a row that the SQL's filter drops are deleted; all else is written."""
    return row[5] and not row[4]


def bound_values(row, target: Target) -> tuple:
    """The values of the row's statement: the insert's or the delete's."""
    key = UUID(row[0]) if target.id_type == "uuid" else row[0]
    return (key, *row[6:], row[1]) if is_upsert(row) else (row[1], key)


def _write(rows: list, target: Target) -> None:
    if not rows:
        return
    from cassandra.concurrent import execute_concurrent

    try:
        session, insert, delete = _connect(target)
        writes = [(insert if is_upsert(row) else delete, bound_values(row, target)) for row in rows]
        execute_concurrent(session, writes, concurrency=CONCURRENCY)
    except Exception:
        # The nodes may come back under other addresses: the next task resolves the names anew.
        _disconnect()
        raise


def _connect(target: Target) -> tuple:
    if target not in _sessions:
        _disconnect()
        cluster = open_cluster(target.cassandra)
        try:
            session = cluster.connect()
            statements = session.prepare(insert_statement(target)), session.prepare(delete_statement(target))
        except Exception:
            cluster.shutdown()
            raise
        _sessions[target] = (cluster, session, *statements)
    return _sessions[target][1:]


def _disconnect() -> None:
    while _sessions:
        _sessions.popitem()[1][0].shutdown()
