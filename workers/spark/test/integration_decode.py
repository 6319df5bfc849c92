import json
import unittest
from datetime import datetime

from decode import UNREADABLE_END, read_records
from outcome import EPOCH_END, UNKNOWN_SCHEMA
from spark_session import local_session

RECORD = (
    "topic string, partition int, offset bigint, key binary, value binary, "
    "headers array<struct<key string, value binary>>"
)
ID = "6f2b1c9e-0f0b-4c3e-9d53-00000000000{}"


def schema(*names: str) -> str:
    texts = [{"name": name, "type": ["null", "string"], "default": None} for name in names]
    moment = {"name": "dob", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}], "default": None}
    fields = [{"name": "id", "type": {"type": "string", "logicalType": "uuid"}}, *texts, moment]
    return json.dumps({"type": "record", "name": "User", "namespace": "dev.userstream", "fields": fields})


OLD, NEW = schema("email"), schema("email", "shoe_size")
WRITERS = {1: OLD, 2: NEW}
MARCH_1843 = datetime(1843, 3, 31, 16, 53, 25)
BEFORE_1900 = -3_999_999_995_000


def varint(number: int) -> bytes:
    """Avro's whole numbers: zigzag, seven bits a byte, the lowest first."""
    rest, out = (number << 1) ^ (number >> 63), bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def text(value: str) -> bytes:
    return varint(len(value.encode())) + value.encode()


def optional(value: str | int | None) -> bytes:
    """A union of null and text or a whole number."""
    if value is None:
        return varint(0)
    return varint(1) + (varint(value) if isinstance(value, int) else text(value))


def framed(schema_id: int, user_id: str, *values: str | int | None) -> bytes:
    """A user in the registry's wire format; `values` are the fields beside the id."""
    return b"\0" + schema_id.to_bytes(4, "big") + text(user_id) + b"".join(map(optional, values))


class Records:
    """Builds a batch as Kafka's source gives it."""

    def __init__(self):
        self._rows = []

    def add(self, key: str | None, value: bytes | None, version: str | None, **more: str | None) -> None:
        headers = [(name.replace("_", "-"), text.encode()) for name, text in more.items() if text is not None]
        headers += [("version", version.encode())] if version is not None else []
        self._rows.append(("users", 0, len(self._rows), key.encode() if key else None, value, headers))

    def frame(self, spark):
        return spark.createDataFrame(self._rows, RECORD)


class Decode(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.spark = local_session()

    def test_each_record_by_its_own_schema(self):
        records = Records()
        records.add(ID.format(1), framed(1, ID.format(1), "old@x", BEFORE_1900), "9000000000000000000")
        records.add(ID.format(2), framed(2, ID.format(2), "new@x", "42", None), "8")
        records.add(ID.format(3), None, "2")
        old, new, gone = read_records(records.frame(self.spark), WRITERS, NEW).sort("offset").collect()
        first = {"id": ID.format(1), "email": "old@x", "shoe_size": None, "dob": MARCH_1843}
        self.assertEqual((old.user.asDict(), old.version), (first, 9000000000000000000))
        self.assertEqual((new.user.shoe_size, new.schema_id, new.tombstone), ("42", 2, False))
        self.assertEqual((gone.reason, gone.tombstone, gone.version, gone.id), (None, True, 2, ID.format(3)))

    def test_carries_when_it_was_committed(self):
        records = Records()
        for committed in ("1700000000123", "now", ""):
            records.add(ID.format(1), None, "1", committed_at=committed)
        found = read_records(records.frame(self.spark), WRITERS, NEW).sort("offset").collect()
        self.assertEqual([row.committed_at for row in found], [1700000000123, None, None])

    def test_the_end_of_an_epoch_is_no_user(self):
        records = Records()
        body = framed(1, "00000000-0000-0000-0000-000000000000", None, None)
        cases = [
            ("epoch-end", "9", '{"0":"3"}', '{"0":"17","1":"5"}', EPOCH_END),
            (ID.format(1), "9", None, "{}", EPOCH_END),
            ("epoch-end", None, None, '{"0":"17"}', UNREADABLE_END),
            ("epoch-end", "9", None, "17", UNREADABLE_END),
            ("epoch-end", "9", None, '{"0":"-3"}', UNREADABLE_END),
            ("epoch-end", "9", None, '{"zero":"3"}', UNREADABLE_END),
            ("epoch-end", "9", '{"0":"three"}', '{"0":"17"}', UNREADABLE_END),
        ]
        for key, version, start, end, _ in cases:
            records.add(key, body, version, epoch_start=start, epoch_end=end)
        found = read_records(records.frame(self.spark), WRITERS, NEW).sort("offset").collect()
        self.assertEqual([row.reason for row in found], [reason for *_, reason in cases])
        self.assertEqual((found[0].epoch_start, found[0].epoch_end), ({"0": 3}, {"0": 17, "1": 5}))
        self.assertIsNone(found[1].epoch_start)

    def test_unicode_of_every_plane_and_large_fields(self):
        records = Records()
        planes = "".join(chr(plane * 0x10000 + 0x41) for plane in range(17) if plane != 0xD) + "\ufeff\u2028\uffff"
        for value in (planes, "é" * 2**20, "", "007", "null", "\\N"):
            records.add(ID.format(1), framed(1, ID.format(1), value, None), "1")
        found = read_records(records.frame(self.spark), WRITERS, NEW).sort("offset").collect()
        self.assertEqual([row.user.email for row in found], [planes, "é" * 2**20, "", "007", "null", "\\N"])

    def test_what_cannot_be_read_says_why(self):
        records = Records()
        good = framed(1, ID.format(1), None, None)
        records.add(ID.format(1), good, "1")
        bad = [
            (ID.format(1), b'{"id": 1}', "2", "it is not in the registry's wire format"),
            (ID.format(1), framed(9, ID.format(1), None), "2", UNKNOWN_SCHEMA),
            (ID.format(1), b"\0\0\0\0\1" + b"\xff" * 40, "2", "its schema does not decode it"),
            (ID.format(1), good, None, "it has no header `version` with a whole number"),
            (ID.format(1), good, "99999999999999999999", "it has no header `version` with a whole number"),
            (ID.format(1), None, "-1", "it has no header `version` with a whole number"),
            (ID.format(2), good, "2", "its id is not its key"),
            ("somebody", good, "2", "its key is not a user's id"),
            (None, good, "2", "its key is not a user's id"),
        ]
        for key, value, version, _ in bad:
            records.add(key, value, version)
        found = read_records(records.frame(self.spark), WRITERS, NEW).sort("offset").collect()
        self.assertEqual([row.reason for row in found], [None, *(reason for *_, reason in bad)])
