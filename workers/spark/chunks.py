"""Rows on their way into Cassandra, a bounded part of them at a time, of each user only the newest."""

from typing import Iterable, Iterator

from outcome import EPOCH_END, UNKNOWN_SCHEMA, Outcome
from wire import COLUMNS, ID, REASON, SCHEMA_ID, VERSION

#: Rows taken from Spark at a time; and characters that are held of them, short of the last row.
ROWS, CHARACTERS = 2000, 16 * 2**20


class Chunk:
    """Takes rows until it is full. Of those with one id it holds the newest: the others would be written in vain."""

    def __init__(self):
        self._newest: dict = {}
        self._taken = self._characters = self._unreadable = self._epoch_ends = 0
        self._unknown_schemas: set[int] = set()

    def add(self, row: tuple) -> None:
        self._taken += 1
        if row[REASON] is not None:
            return self._put_aside(row)
        known = self._newest.get(row[ID])
        if known is None or known[VERSION] <= row[VERSION]:
            self._newest[row[ID]] = row
            self._characters += characters(row) - (characters(known) if known else 0)

    def is_empty(self) -> bool:
        return self._taken == 0

    def is_full(self) -> bool:
        return self._taken >= ROWS or self._characters >= CHARACTERS

    def rows(self) -> list[tuple]:
        """What is to be written."""
        return [*self._newest.values()]

    def unwritten(self) -> Outcome:
        """What became of the rows that aren't."""
        return Outcome(
            unreadable=self._unreadable, epoch_ends=self._epoch_ends, unknown_schemas=frozenset(self._unknown_schemas)
        )

    def _put_aside(self, row: tuple) -> None:
        is_end = row[REASON] == EPOCH_END
        self._epoch_ends += is_end
        self._unreadable += not is_end
        if row[REASON] == UNKNOWN_SCHEMA:
            self._unknown_schemas.add(row[SCHEMA_ID])


def chunks(rows: Iterable[tuple]) -> Iterator[Chunk]:
    """All rows, a chunk after the other; no more of them is held than one chunk."""
    chunk = Chunk()
    for row in rows:
        chunk.add(row)
        if chunk.is_full():
            yield chunk
            chunk = Chunk()
    if not chunk.is_empty():
        yield chunk


def characters(row: tuple) -> int:
    """Those of the row's texts."""
    return sum(len(value) for value in row[COLUMNS:] if type(value) is str)
