import unittest

from apply import apply_sql
from pyspark.sql import functions as F
from spark_session import local_session

USERS = [(7, "1", "Ann", "US"), (8, "2", "Bo", "FR"), (9, "3", None, "US"), (10, "4", "Cy", None)]
FRAME = "__version bigint, id string, first_name string, nationality string"


class ApplySql(unittest.TestCase):
    def applied(self, sql: str, users: list[tuple] = USERS, sound: str = "__version > 0") -> list[tuple]:
        frame = local_session().createDataFrame(users, FRAME)
        return [tuple(row) for row in apply_sql(sql, frame, ["__version"], F.expr(sound)).collect()]

    def test_marks_what_the_filter_drops_and_carries_what_the_sql_does_not_see(self):
        cases = [
            (
                "SELECT * FROM users",
                [
                    (7, True, None, "1", "Ann", "US"),
                    (8, True, None, "2", "Bo", "FR"),
                    (9, True, None, "3", None, "US"),
                    (10, True, None, "4", "Cy", None),
                ],
            ),
            (
                "SELECT upper(first_name) AS n, id FROM users u WHERE u.nationality = 'US'",
                [
                    (7, True, None, "ANN", "1"),
                    (8, False, None, None, "2"),
                    (9, True, None, None, "3"),
                    (10, False, None, None, "4"),
                ],
            ),
            (
                "SELECT id, n + 1 AS m FROM (SELECT *, length(first_name) AS n FROM users WHERE nationality = 'US') "
                "WHERE n > 1",
                [
                    (7, True, None, "1", 4),
                    (8, False, None, "2", None),
                    (9, False, None, "3", None),
                    (10, False, None, "4", None),
                ],
            ),
        ]
        for sql, expected in cases:
            with self.subTest(sql):
                self.assertEqual(self.applied(sql), expected)

    def test_what_is_no_sound_user_is_not_looked_at(self):
        found = self.applied("SELECT id, raise_error(id) AS never FROM users", sound="__version > 99")
        self.assertEqual({row[1:] for row in found}, {(False, None, each, None) for each in "1234"})

    def test_an_error_is_told_of_its_row_and_stops_no_other(self):
        users = [(1, "a", "17", "(x"), (2, "b", "seventeen", "x"), (3, "c", None, None)]
        cases = [
            ("SELECT id, to_number(first_name, '99') AS n FROM users", [None, "column n", None]),
            ("SELECT * FROM users WHERE first_name NOT RLIKE nationality", ["WHERE", None, None]),
            ("SELECT id, to_number(first_name, '99') AS n FROM users WHERE first_name RLIKE '^[0-9]+$'", [None] * 3),
            (
                "SELECT id, n + n AS m, n FROM (SELECT *, to_number(first_name, '99') AS n FROM users) WHERE n > 0 OR n < 9",
                [None, "column n", None],
            ),
            (
                "SELECT id, hash(to_number(first_name, '99')) AS m, hash(to_number(first_name, '99')) + 1 AS n FROM users",
                [None, "column m", None],
            ),
            ("SELECT id, if(id = 'c', raise_error('no'), 1) AS n FROM users", [None, None, "column n"]),
            ("SELECT id, from_utc_timestamp('2026-01-01', first_name) AS t FROM users", ["column t", "column t", None]),
            ("SELECT id, split_part(first_name, ',', 0) AS n FROM users", ["column n", "column n", None]),
        ]
        for sql, expected in cases:
            with self.subTest(sql):
                self.assertEqual([row[2] for row in self.applied(sql, users)], expected)

    def test_what_only_the_parser_of_spark_2_read_is_null(self):
        users = [(1, "a", "3-2-2020 noon", None), (2, "b", "03-02-2020", None)]
        sql = "SELECT id, cast(to_date(first_name, 'dd-MM-yyyy') AS string) AS day FROM users"
        self.assertEqual([row[2:] for row in self.applied(sql, users)], [(None, "a", None), (None, "b", "2020-02-03")])


if __name__ == "__main__":
    unittest.main()
