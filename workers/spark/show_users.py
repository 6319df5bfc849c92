"""
Prints the first users that stand in the pipeline's table, and how many there are, up to ten thousand:
`python3 show_users.py [--wait] [COUNT]`.
With --wait it waits, up to two minutes, until there is one.
"""

import os
import sys
import time

from config import read_config
from cql import open_cluster, table_name

COLUMNS = ("id", "first_name", "last_name", "nationality", "email")
WAIT_SECONDS = 120
#: Counting all of a large table would take Cassandra longer than anybody waits.
COUNTED = 10_000


def table(rows: list[tuple]) -> str:
    """The rows as text, each column as wide as its widest value."""
    cells = [COLUMNS, *[tuple("" if value is None else str(value) for value in row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(COLUMNS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells)


def first_users(session, name: str, count: int, wait: bool) -> list[tuple]:
    deadline = time.monotonic() + (WAIT_SECONDS if wait else 0)
    while True:
        rows = [tuple(row) for row in session.execute(f"SELECT {', '.join(COLUMNS)} FROM {name} LIMIT {count}")]
        if rows or time.monotonic() > deadline:
            return rows
        time.sleep(0.5)


def main(arguments: list[str]) -> int:
    wait = "--wait" in arguments
    count = next((int(argument) for argument in arguments if argument.isdigit()), 5)
    cassandra = read_config(os.environ).cassandra
    cluster = open_cluster(cassandra)
    try:
        session, name = cluster.connect(), table_name(cassandra)
        rows = first_users(session, name, count, wait)
        total = sum(1 for _ in session.execute(f"SELECT id FROM {name} LIMIT {COUNTED + 1}"))
        amount = f"more than {COUNTED}" if total > COUNTED else total
        print(f"{table(rows)}\n\n{amount} users in {name}")
        return 0 if rows else 1
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
