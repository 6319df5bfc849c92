import json
import unittest

from cql import Column, Target
from wire import line_expression, read_row

COLUMNS = (Column("email", "text"), Column("dob", "timestamp"), Column("half", "double"), Column("old", "boolean"))
TARGET = Target(None, "uuid", COLUMNS)


class Wire(unittest.TestCase):
    def test_a_line_has_the_columns_as_the_sink_writes_them(self):
        self.assertEqual(
            line_expression(["__id"], COLUMNS[:2]),
            "to_json(array(cast(__id as string), cast(`email` as string), cast(unix_millis(`dob`) as string)))",
        )

    def test_a_row_is_what_the_driver_packs(self):
        line = json.dumps(["a", "9000000000000000000", None, None, "2", "true", "é\n\"", "-1", "NaN", "false"])
        row = read_row(line, TARGET)
        self.assertEqual(row[:8], ("a", 9_000_000_000_000_000_000, None, None, 2, True, "é\n\"", -1))
        self.assertNotEqual(row[8], row[8])
        self.assertIs(row[9], False)

    def test_empty_is_not_missing(self):
        head = ["a", "1", None, None, "2", "true"]
        self.assertEqual(read_row(json.dumps([*head, "", None, "0.1", None]), TARGET)[6:], ("", None, 0.1, None))


if __name__ == "__main__":
    unittest.main()
