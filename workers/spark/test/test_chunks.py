import unittest
from uuid import uuid4

from chunks import CHARACTERS, ROWS, chunks
from outcome import EPOCH_END, UNKNOWN_SCHEMA

ID = "6f2b1c9e-0f0b-4c3e-9d53-2f6f0c9f1a11"


def row(version: int, email: str | None = None, kept: bool = True, user_id: str = ID, reason: str | None = None) -> tuple:
    return (user_id, version, 1_700_000_000_000, reason, version, kept, email, None)


class Chunks(unittest.TestCase):
    def written(self, *rows: tuple) -> list:
        return [written for chunk in chunks(rows) for written in chunk.rows()]

    def test_one_write_an_id_the_highest_version(self):
        rows = [row(5, "old"), row(9, "new"), row(7, kept=False)]
        self.assertEqual(self.written(*rows), [row(9, "new")])
        self.assertEqual(self.written(*rows, row(11, kept=False)), [row(11, kept=False)])

    def test_deleted_and_inserted_again_in_one_batch(self):
        self.assertEqual(self.written(row(1, "before"), row(2, kept=False), row(3, "after")), [row(3, "after")])

    def test_of_a_thousand_large_updates_no_more_than_one_is_held(self):
        text = "e" * 2**20
        updates = (row(version, f"{text}{version}") for version in range(1, 1001))
        self.assertEqual(self.written(*updates), [row(1000, f"{text}1000")])

    def test_are_bounded_by_what_they_hold_and_by_rows(self):
        large = (row(1, "e" * (CHARACTERS // 4), user_id=str(uuid4())) for _ in range(9))
        self.assertEqual([len(chunk.rows()) for chunk in chunks(large)], [4, 4, 1])
        small = (row(1, user_id=str(uuid4())) for _ in range(2 * ROWS))
        self.assertEqual([len(chunk.rows()) for chunk in chunks(small)], [ROWS, ROWS])

    def test_what_is_not_written_is_counted(self):
        [chunk] = chunks([row(1, reason="it is broken"), row(7, reason=UNKNOWN_SCHEMA), row(2, reason=EPOCH_END), row(3)])
        outcome = chunk.unwritten()
        self.assertEqual((outcome.unreadable, outcome.epoch_ends), (2, 1))
        self.assertEqual(outcome.unknown_schemas, frozenset({7}))
        self.assertEqual(chunk.rows(), [row(3)])


if __name__ == "__main__":
    unittest.main()
