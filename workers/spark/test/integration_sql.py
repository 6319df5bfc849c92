import unittest

from spark_session import local_session
from sql import check_sql
from status import StageError

FIELDS = "id string, first_name string, nationality string, dob timestamp"
GOOD = [
    ("SELECT * FROM users", "first_name nationality dob"),
    ("SELECT id, first_name FROM users", "first_name"),
    ("SELECT u.id AS id, upper(first_name) AS first_name FROM users u WHERE nationality IN ('US', 'FR')", "first_name"),
    (
        "SELECT ID, First_Name AS FullName, year(dob) AS born, dob > '2000-01-01' AS young FROM Users",
        "fullname born young",
    ),
    ("SELECT id, n FROM (SELECT *, length(first_name) AS n FROM users) WHERE n > 3", "n"),
]
BAD = [
    ("SELECT first_name FROM users", "the column id is missing"),
    ("SELECT upper(id) AS id FROM users", "must be the user's own"),
    ("SELECT first_name AS id FROM users", "must be the user's own"),
    ("SELECT id, * FROM users", "must be the user's own, unchanged and once"),
    ("SELECT id, first_name, nationality AS first_name FROM users", "first_name comes twice"),
    ("SELECT id, count(*) AS n FROM users GROUP BY id", "Aggregate is not allowed"),
    ("SELECT DISTINCT * FROM users", "Distinct is not allowed"),
    ("SELECT * FROM users ORDER BY id", "ORDER BY is not allowed"),
    ("SELECT * FROM users LIMIT 5", "LIMIT is not allowed"),
    ("SELECT a.* FROM users a JOIN users b ON a.id = b.id", "Join is not allowed"),
    ("SELECT * FROM users UNION ALL SELECT * FROM users", "Union is not allowed"),
    ("SELECT id, row_number() OVER (ORDER BY dob) AS n FROM users", "Window is not allowed"),
    ("SELECT id, explode(split(first_name, ' ')) AS part FROM users", "explode is not allowed"),
    ("SELECT * FROM users WHERE id IN (SELECT id FROM users)", "a subquery is not allowed"),
    ("SELECT id, (SELECT max(dob) FROM users) AS m FROM users", "a subquery is not allowed"),
    ("SELECT id FROM users LATERAL VIEW inline(array(struct(1))) v AS n", "explode is not allowed"),
    ("SELECT * FROM users TABLESAMPLE (10 PERCENT)", "Sample is not allowed"),
    ("SELECT * FROM users WHERE EXISTS (SELECT 1 FROM users v WHERE v.id = users.id)", "a subquery is not allowed"),
    ("SELECT id, rand() AS r FROM users", "another value each time"),
    ("SELECT *, current_timestamp() AS loaded_at FROM users", "another value each time"),
    ("SELECT * FROM users WHERE dob < now() - INTERVAL 18 YEARS", "another value each time"),
    ("SELECT id, year(current_date()) - year(dob) AS age FROM users", "another value each time"),
    ("SELECT id, java_method('java.lang.System', 'exit', 1) AS r FROM users", "another value each time"),
    ("SELECT 'x' AS id", "SELECT without FROM users is not allowed"),
    ("SELECT id, array(first_name) AS names FROM users", "column names is array<string>"),
    ("SELECT id, first_name || '!' FROM users", "give it a name"),
    ("SELECT id, nobody FROM users", "nobody"),
    ("SELECT * FROM people", "people"),
    ("SELEC id FROM users", "SELEC"),
    ("DROP VIEW users", "not allowed"),
    ("SET spark.sql.ansi.enabled=true", "not allowed"),
    ("INSERT INTO users SELECT * FROM users", "must be a row-wise SELECT"),
    ("WITH f AS (SELECT * FROM users) SELECT * FROM f", "WITH is not allowed"),
]


class CheckSql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.spark = local_session()
        cls.users = cls.spark.createDataFrame([], FIELDS).schema

    def test_lets_row_wise_statements_through(self):
        for sql, columns in GOOD:
            with self.subTest(sql):
                found = check_sql(self.spark, sql, self.users)
                self.assertEqual(" ".join(column.name for column in found), columns)

    def test_gives_the_types_that_cassandra_knows(self):
        found = dict(check_sql(self.spark, GOOD[3][0], self.users))
        self.assertEqual(found, {"fullname": "text", "born": "int", "young": "boolean"})

    def test_refuses_all_else_and_says_what(self):
        for sql, words in BAD:
            with self.subTest(sql):
                with self.assertRaises(StageError) as caught:
                    check_sql(self.spark, sql, self.users)
                self.assertEqual((caught.exception.stage, caught.exception.reason), ("Spark", "SqlInvalid"))
                self.assertIn(words, caught.exception.message)

    def test_runs_nothing(self):
        with self.assertRaises(StageError):
            check_sql(self.spark, "SET spark.sql.ansi.enabled=true", self.users)
        self.assertEqual(self.spark.conf.get("spark.sql.ansi.enabled"), "false")
