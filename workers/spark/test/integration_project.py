import json
import unittest

from project import Plan, Projector
from spark_session import local_session
from sql import check_sql
from status import StageError

USERS = "id string, first_name string, nationality string, dob timestamp"
ADA = {"id": "ada", "first_name": "Ada\n\"\\ 𝕬\u0001", "nationality": None, "dob": -4861727999877}
BOB = {"id": "bob", "first_name": "", "nationality": "US", "dob": None}


class Project(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.spark = local_session()
        cls.users = cls.spark.createDataFrame([], USERS).schema

    def projector(self, sql: str) -> Projector:
        projector = Projector()
        projector.planned(Plan(self.spark, sql, self.users, check_sql(self.spark, sql, self.users)))
        return projector

    def project(self, sql: str, *rows: dict):
        head, *lines = self.projector(sql)("\n".join(json.dumps(row) for row in rows)).split("\n")
        return json.loads(head)["columns"], [json.loads(line) for line in lines]

    def test_every_column_as_the_sink_writes_it(self):
        columns, rows = self.project("SELECT * FROM users", ADA, BOB)
        self.assertEqual(columns, [["first_name", "text"], ["nationality", "text"], ["dob", "timestamp"]])
        self.assertEqual(
            rows, [["ada", ADA["first_name"], None, "-4861727999877"], ["bob", "", "US", None]]
        )

    def test_the_sql_chooses_and_computes(self):
        sql = (
            "SELECT ID, Upper(First_Name) AS Shout, year(dob) AS born, date(dob) AS day, length(first_name) / 2D AS half, "
            "dob < '1900-01-01' AS old FROM users WHERE first_name <> ''"
        )
        columns, rows = self.project(sql, ADA, BOB)
        self.assertEqual([kind for _, kind in columns], ["text", "int", "date", "double", "boolean"])
        self.assertEqual(rows[0][2:], ["1815", "2147427378", "4.5", "true"])
        self.assertEqual([row[0] for row in rows], ["ada"])

    def test_tells_what_it_asks_for(self):
        head = json.loads(self.projector("SELECT id FROM users")(""))
        view = [["id", "string"], ["first_name", "string"], ["nationality", "string"], ["dob", "timestamp"]]
        self.assertEqual(head, {"view": view, "columns": []})

    def test_a_text_may_be_longer_than_spark_takes_by_itself(self):
        rows = self.project("SELECT id, length(first_name) AS long FROM users", {**BOB, "first_name": "a" * 21_000_000})[1]
        self.assertEqual(rows, [["bob", "21000000"]])

    def test_no_row_is_kept(self):
        self.assertEqual(self.project("SELECT * FROM users WHERE false", ADA)[1], [])

    def test_a_user_on_which_the_sql_throws_an_error_is_told_and_hides_no_other(self):
        sql = "SELECT ID, to_number(first_name, '99') IS NULL AS odd FROM users WHERE dob IS NULL"
        users = [{**BOB, "id": "17", "first_name": "17"}, {**BOB, "first_name": "x"}, {**ADA, "first_name": "y"}]
        self.assertEqual(self.project(sql, *users)[1], [["17", "false"], {"id": "bob", "fault": "column odd"}])

    def test_a_row_that_does_not_fit_the_view_is_an_error(self):
        with self.assertRaisesRegex(Exception, "(?i)malformed"):
            self.project("SELECT * FROM users", {"id": "x", "dob": "today"})

    def test_without_a_query(self):
        with self.assertRaisesRegex(StageError, "not planned"):
            Projector()("{}")

    def test_runs_no_job(self):
        tracker = self.spark.sparkContext.statusTracker()
        before = tracker.getJobIdsForGroup(None)
        self.project("SELECT id, upper(first_name) AS n FROM users WHERE dob IS NOT NULL", ADA, BOB)
        self.assertEqual(tracker.getJobIdsForGroup(None), before)


if __name__ == "__main__":
    unittest.main()
