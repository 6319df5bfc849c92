"""What a reader's schema may lack of the writers'."""

import json
import unittest

from registry import Schema
from schema import require_fields
from status import StageError


def record(name: str, *fields: str) -> str:
    namespace, _, simple = name.rpartition(".")
    return json.dumps({"type": "record", "namespace": namespace, "name": simple, "fields": [{"name": f} for f in fields]})


def user(*fields: str) -> str:
    return record("dev.userstream.User", "id", *fields)


class ReaderTest(unittest.TestCase):
    reader = Schema(2, user("email", "cell"))

    def test_may_know_more_than_the_writer(self):
        require_fields(self.reader, {1: user("email"), 2: self.reader.text})

    def test_must_not_know_less(self):
        with self.assertRaises(StageError) as raised:
            require_fields(self.reader, {1: user("email"), 3: user("email", "cell", "shoe_size")})
        self.assertEqual(raised.exception.reason, "SchemaBehind")
        self.assertIn("lacks shoe_size, which users were written with by schema 3", raised.exception.message)

    def test_has_nothing_to_do_with_others_records(self):
        require_fields(self.reader, {7: record("org.example.Order", "id", "total"), 8: '"string"'})
