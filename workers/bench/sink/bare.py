"""
A bare loop of Cassandra's driver: writes users that were made beforehand, in as many processes as are asked for, and
prints how many rows a second: `python3 bare.py CONFIG USERS PROCESSES WARM_UP`. USERS has a JSON array a line: first the
names of the columns, the id's before all, then their values in each user and the version.
"""

import json
import multiprocessing
import sys
import time
from uuid import UUID

from cassandra.concurrent import execute_concurrent_with_args

from config import read_config
from cql import Column, Target, insert_statement, open_cluster
from sink import CONCURRENCY


def write(share: list, warm_up: int, columns: tuple[Column, ...], ready, results) -> None:
    cassandra = read_config({"USERSTREAM_CONFIG": sys.argv[1]}).cassandra
    cluster = open_cluster(cassandra)
    session = cluster.connect()
    insert = session.prepare(insert_statement(Target(cassandra, "uuid", columns)))
    execute_concurrent_with_args(session, insert, share[:warm_up], concurrency=CONCURRENCY)
    ready.wait()
    began = time.monotonic()
    execute_concurrent_with_args(session, insert, share[warm_up:], concurrency=CONCURRENCY)
    results.put((began, time.monotonic(), len(share) - warm_up))
    cluster.shutdown()


def main() -> None:
    path, processes, warm_up = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    with open(path, encoding="utf-8") as file:
        names = json.loads(next(file))
        users = [(UUID(user[0]), *user[1:]) for user in map(json.loads, file)]
    columns = tuple(Column(name, "") for name in names[1:])
    ready, results = multiprocessing.Barrier(processes), multiprocessing.Queue()
    for each in range(processes):
        share = users[each::processes], warm_up // processes, columns, ready, results
        multiprocessing.Process(target=write, args=share).start()
    began, ended, rows = zip(*(results.get() for _ in range(processes)))
    print(sum(rows) / (max(ended) - min(began)))


if __name__ == "__main__":
    main()
