"""
How rows leave the JVM: each as a line, a JSON array of texts and nulls. Spark's own way to Python pickles up to some
thousand rows at once, which is no bound at all where rows are large.
"""

import json
from typing import Callable, Iterable

from cql import Column, Target, wire_expression

#: What the sink is told of a row beside its columns, in the rows' order, and how it reads that.
HEAD: dict[str, Callable[[str], object]] = {
    "id": str,
    "version": int,
    "committed_at": int,
    "reason": str,
    "schema_id": int,
    "kept": "true".__eq__,
}
#: Where a row has what; the columns of the table follow.
ID, VERSION, COMMITTED_AT, REASON, SCHEMA_ID, KEPT, COLUMNS = range(len(HEAD) + 1)
_READ: dict[str, Callable[[str], object]] = {
    "text": str,
    "timestamp": int,
    "date": int,
    "int": int,
    "bigint": int,
    "float": float,
    "double": float,
    "boolean": "true".__eq__,
}


def line_expression(first: Iterable[str], columns: Iterable[Column]) -> str:
    """The SQL that makes a line of a row: of the expressions `first`, then of the columns of the table."""
    texts = [f"cast({each} as string)" for each in [*first, *map(wire_expression, columns)]]
    return f"to_json(array({', '.join(texts)}))"


def read_row(line: str, target: Target) -> tuple:
    """The row in a line that begins with HEAD, with the values that Cassandra's driver packs."""
    readers = [*HEAD.values(), *(_READ[column.cql_type] for column in target.columns)]
    return tuple(None if text is None else read(text) for read, text in zip(readers, json.loads(line)))
