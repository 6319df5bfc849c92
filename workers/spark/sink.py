"""Runs on the executors: writes one partition's rows to Cassandra, each with its version as the write's timestamp."""

import time
from itertools import islice
from typing import Iterable, Iterator
from uuid import UUID

from cql import Target, delete_statement, insert_statement, open_cluster
from latency import measured
from outcome import EPOCH_END, TOO_LARGE, UNKNOWN_SCHEMA, Outcome, Refusal, total

#: Requests in flight a session; and rows taken from Spark at a time.
CONCURRENCY, CHUNK = 128, 2000

#: Bytes of a row's texts at most. Cassandra doesn't even answer a request of 16 MiB, unless it is told otherwise.
LARGEST = 16 * 2**20 - 2**16

#: Where a row has what; the columns of the table follow.
ID, VERSION, COMMITTED_AT, REASON, SCHEMA_ID, TOMBSTONE, KEPT, COLUMNS = range(8)

# A Python worker process serves many tasks one after another: one connection a process, not one a task.
_sessions: dict = {}


def write_partition(rows: Iterable, target: Target) -> Iterator[Outcome]:
    """
    Writes rows that are laid out as above. Yields the one Outcome.
    Raises the driver's error when a write fails; what was written before is written again by the next try.
    """
    outcome, rows = Outcome(), iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        outcome = total([outcome, _write_chunk(chunk, target)])
    yield outcome


def newest_by_id(rows: Iterable) -> list:
    """Of the rows with one id the one with the highest version: the others would be written in vain."""
    newest: dict = {}
    for row in rows:
        known = newest.get(row[ID])
        if known is None or known[VERSION] <= row[VERSION]:
            newest[row[ID]] = row
    return [*newest.values()]


def is_upsert(row) -> bool:
    """A tombstone and a row that the SQL's filter drops are deleted; all else is written."""
    return row[KEPT] and not row[TOMBSTONE]


def is_too_large(row) -> bool:
    """Whether a row is more than Cassandra takes in one request."""
    texts = [value for value in row[COLUMNS:] if type(value) is str]
    # A character takes four bytes at most: nearly all rows need no closer look.
    return sum(map(len, texts)) * 4 > LARGEST and sum(len(text.encode()) for text in texts) > LARGEST


def bound_values(row, target: Target) -> tuple:
    """The values of the row's statement: the insert's or the delete's."""
    key = UUID(row[ID]) if target.id_type == "uuid" else row[ID]
    return (key, *row[COLUMNS:], row[VERSION]) if is_upsert(row) else (row[VERSION], key)


def session_of(target: Target) -> tuple:
    """This process's session, and its prepared insert and delete. Raises the driver's error where there is no ring."""
    if target not in _sessions:
        disconnect()
        cluster = open_cluster(target.cassandra)
        try:
            session = cluster.connect()
            statements = session.prepare(insert_statement(target)), session.prepare(delete_statement(target))
        except Exception:
            cluster.shutdown()
            raise
        _sessions[target] = (cluster, session, *statements)
    return _sessions[target][1:]


def disconnect() -> None:
    """Lets the session go. The nodes may come back under other addresses: the next one resolves the names anew."""
    while _sessions:
        _sessions.popitem()[1][0].shutdown()


def _write_chunk(chunk: list, target: Target) -> Outcome:
    newest = newest_by_id(row for row in chunk if row[REASON] is None)
    refused = _write(newest, target)
    if refused:
        lost = {(each.id, each.version) for each in refused}
        newest = [row for row in newest if (row[ID], row[VERSION]) not in lost]
    upserts = sum(map(is_upsert, newest))
    unwritten = [row for row in chunk if row[REASON] is not None]
    epoch_ends = sum(row[REASON] == EPOCH_END for row in unwritten)
    return Outcome(
        upserts=upserts,
        deletes=len(newest) - upserts,
        unreadable=len(unwritten) - epoch_ends,
        epoch_ends=epoch_ends,
        unknown_schemas=frozenset(row[SCHEMA_ID] for row in unwritten if row[REASON] == UNKNOWN_SCHEMA),
        refused=refused,
        latencies=measured((row[COMMITTED_AT] for row in newest), time.time() * 1000),
    )


def _write(rows: list, target: Target) -> tuple[Refusal, ...]:
    """Writes the rows; answers those that Cassandra refuses for what is in them, or would."""
    large = [row for row in rows if is_upsert(row) and is_too_large(row)]
    if large:
        rows = [row for row in rows if row not in large]
    return _sent(rows, target) + tuple(Refusal(row[ID], row[VERSION], TOO_LARGE) for row in large)


def _sent(rows: list, target: Target) -> tuple[Refusal, ...]:
    if not rows:
        return ()
    from cassandra import InvalidRequest
    from cassandra.concurrent import execute_concurrent

    try:
        session, insert, delete = session_of(target)
        writes = [(insert if is_upsert(row) else delete, bound_values(row, target)) for row in rows]
        try:
            execute_concurrent(session, writes, concurrency=CONCURRENCY)
            return ()
        except InvalidRequest:
            # The fault of the table, not of a row, where it doesn't even know the statement any more.
            session.prepare(insert_statement(target))
            results = execute_concurrent(session, writes, concurrency=CONCURRENCY, raise_on_first_error=False)
            return _refusals(rows, results)
    except Exception:
        disconnect()
        raise


def _refusals(rows: list, results: list) -> tuple[Refusal, ...]:
    """The rows whose write Cassandra calls invalid. Raises what any other write failed with."""
    from cassandra import InvalidRequest

    failed = [(row, error) for row, (done, error) in zip(rows, results) if not done]
    for _, error in failed:
        if not isinstance(error, InvalidRequest):
            raise error
    return tuple(Refusal(row[ID], row[VERSION], f"Cassandra refuses it: {str(error)[:300]}") for row, error in failed)
