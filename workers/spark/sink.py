"""Runs on the executors: writes one partition's rows to Cassandra, each with its version as the write's timestamp."""

import time
from typing import Iterable, Iterator
from uuid import UUID

from chunks import Chunk, characters, chunks
from cql import Target, delete_statement, insert_statement, open_cluster
from latency import measured
from outcome import TOO_LARGE, Outcome, Refusal, total
from wire import COLUMNS, COMMITTED_AT, ID, KEPT, VERSION, read_row

#: Requests in flight a session.
CONCURRENCY = 128

#: Bytes of a row's texts at most. Cassandra doesn't even answer a request of 16 MiB, unless it is told otherwise.
LARGEST = 16 * 2**20 - 2**16

# A Python worker process serves many tasks one after another: one connection a process, not one a task.
_sessions: dict = {}


def write_partition(lines: Iterable[str], target: Target) -> Iterator[Outcome]:
    """
    Writes the rows of these lines. Yields the one Outcome.
    Raises the driver's error when a write fails; what was written before is written again by the next try.
    """
    outcome = Outcome()
    for chunk in chunks(read_row(line, target) for line in lines):
        outcome = total([outcome, _write_chunk(chunk, target)])
    yield outcome


def is_too_large(row) -> bool:
    """Whether a row is more than Cassandra takes in one request."""
    # A character takes four bytes at most: nearly all rows need no closer look.
    if characters(row) * 4 <= LARGEST:
        return False
    return sum(len(value.encode()) for value in row[COLUMNS:] if type(value) is str) > LARGEST


def bound_values(row, target: Target) -> tuple:
    """The values of the row's statement: the insert's or the delete's."""
    key = UUID(row[ID]) if target.id_type == "uuid" else row[ID]
    return (key, *row[COLUMNS:], row[VERSION]) if row[KEPT] else (row[VERSION], key)


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


def _write_chunk(chunk: Chunk, target: Target) -> Outcome:
    refused = _write(chunk.rows(), target)
    lost = {(each.id, each.version) for each in refused}
    written = [row for row in chunk.rows() if (row[ID], row[VERSION]) not in lost]
    upserts = sum(row[KEPT] for row in written)
    done = Outcome(
        upserts=upserts,
        deletes=len(written) - upserts,
        refused=refused,
        latencies=measured((row[COMMITTED_AT] for row in written), time.time() * 1000),
    )
    return total([done, chunk.unwritten()])


def _write(rows: list, target: Target) -> tuple[Refusal, ...]:
    """Writes the rows; answers those that Cassandra refuses for what is in them, or would."""
    large = [row for row in rows if row[KEPT] and is_too_large(row)]
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
        writes = [(insert if row[KEPT] else delete, bound_values(row, target)) for row in rows]
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
