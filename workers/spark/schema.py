"""Whether the reader's schema holds all that users were written with."""

import json
from typing import Mapping

from registry import Schema
from status import StageError


def require_fields(reader: Schema, writers: Mapping[int, str]) -> None:
    """Raises StageError SchemaBehind where a user was written with a field that would be lost by the reader's schema."""
    for schema_id, writer in writers.items():
        if lost := field_names(writer) - field_names(reader.text):
            raise StageError(
                "SchemaRegistry",
                "SchemaBehind",
                f"the subject's newest schema, {reader.id}, lacks {', '.join(sorted(lost))}, which users were written with "
                f"by schema {schema_id}: the registry was set back, or one of its pods lags; run the provision job again if this lasts",
            )


def field_names(schema: str) -> set[str]:
    """The names of a user's fields; none of another record's."""
    record = json.loads(schema)
    is_user = isinstance(record, dict) and (record.get("namespace"), record.get("name")) == ("dev.userstream", "User")
    return {field["name"] for field in record["fields"]} if is_user else set()
