import unittest
from uuid import UUID

from config import parse_config
from cql import Column, Target, delete_statement, insert_statement, sweep_statement, wire_expression
from sink import LARGEST, bound_values, is_too_large
from status import StageError
from table import missing_columns
from test_config import GOOD

TARGET = Target(
    parse_config(GOOD, "config.json").cassandra, "uuid", (Column("email", "text"), Column("dob", "timestamp"))
)
ID = "6f2b1c9e-0f0b-4c3e-9d53-2f6f0c9f1a11"


def row(version: int, email: str | None = None, kept: bool = True) -> tuple:
    return (ID, version, 1_700_000_000_000, None, 1, kept, email, None)


class Statements(unittest.TestCase):
    def test_carry_the_version_as_the_timestamp(self):
        self.assertEqual(
            insert_statement(TARGET),
            'INSERT INTO "userstream"."users" ("id", "email", "dob") VALUES (?, ?, ?) USING TIMESTAMP ?',
        )
        self.assertEqual(delete_statement(TARGET), 'DELETE FROM "userstream"."users" USING TIMESTAMP ? WHERE "id" = ?')

    def test_a_sweep_asks_for_the_versions_of_the_columns(self):
        self.assertEqual(
            sweep_statement(TARGET),
            'SELECT "id", writetime("email"), writetime("dob") FROM "userstream"."users" '
            'WHERE token("id") > ? AND token("id") <= ?',
        )
        self.assertNotIn("writetime", sweep_statement(TARGET._replace(columns=())))

    def test_values_in_the_order_of_their_marks(self):
        self.assertEqual(bound_values(row(7, "a@b.c"), TARGET), (UUID(ID), "a@b.c", None, 7))
        self.assertEqual(bound_values(row(7, "a@b.c", kept=False), TARGET), (7, UUID(ID)))
        self.assertEqual(bound_values(row(7, kept=False), TARGET._replace(id_type="text")), (7, ID))

    def test_a_row_is_too_large_by_its_bytes(self):
        cases = [("e" * LARGEST, False), ("é" * (LARGEST // 2), False), ("é" * (LARGEST // 2 + 1), True)]
        for text, expected in cases:
            self.assertEqual(is_too_large(row(1, text)), expected)

    def test_times_travel_as_numbers(self):
        self.assertEqual(wire_expression(Column("dob", "timestamp")), "unix_millis(`dob`)")
        self.assertEqual(wire_expression(Column("day", "date")), "unix_date(`day`) + 2147483648L")
        self.assertEqual(wire_expression(Column("email", "text")), "`email`")


class Table(unittest.TestCase):
    def test_lacks_what_the_sql_adds(self):
        existing = {"id": "uuid", "email": "text"}
        self.assertEqual(missing_columns(TARGET.columns, existing), [Column("dob", "timestamp")])

    def test_a_column_of_another_type_is_refused(self):
        with self.assertRaises(StageError) as caught:
            missing_columns(TARGET.columns, {"id": "uuid", "email": "int", "dob": "timestamp"})
        self.assertEqual(caught.exception.reason, "SqlInvalid")
        self.assertIn("column email is text, in the table it is int", caught.exception.message)
