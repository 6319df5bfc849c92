"""Kafka records → users, each by its own writer schema, with the reason where a record can't be read."""

from typing import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.avro.functions import from_avro

from outcome import EPOCH_END, UNKNOWN_SCHEMA

#: Offset by partition; JSON's reader takes a number in quotes for no number.
OFFSETS = "transform_values(from_json({}, 'map<string, string>'), (_, at) -> cast(at as bigint))"
UNREADABLE_END = "its header `epoch-end`, `epoch-start` or `version` can't be read"
TEXTS = ("version_text", "epoch_start_text", "epoch_end_text")
UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


def read_records(batch: DataFrame, writers: Mapping[int, str], reader: str) -> DataFrame:
    """
    Adds to Kafka's columns: id, version, committed_at (ms since 1970, or null), schema_id, tombstone, epoch_start and
    epoch_end (of a record that ends an epoch's snapshot: offset by partition), user (a struct of the reader schema's
    fields) and reason (null where the record is a sound user). `writers` are the schemas that are known, by id.
    """
    prefixed = batch.select(
        "*",
        F.lower(F.col("key").cast("string")).alias("id"),
        F.col("value").isNull().alias("tombstone"),
        _header("version").alias("version_text"),
        _header("committed-at").cast("bigint").alias("committed_at"),
        _header("epoch-start").alias("epoch_start_text"),
        _header("epoch-end").alias("epoch_end_text"),
        F.when(_framed(), F.expr("cast(conv(hex(substring(value, 2, 4)), 16, 10) as bigint)")).alias("schema_id"),
    )
    decoded = prefixed.select(
        "*",
        F.when(F.col("version_text").rlike("^[0-9]+$"), F.col("version_text").cast("bigint")).alias("version"),
        F.expr(OFFSETS.format("epoch_start_text")).alias("epoch_start"),
        F.expr(OFFSETS.format("epoch_end_text")).alias("epoch_end"),
        _user(writers, reader).alias("user"),
    )
    return decoded.select("*", _reason(writers).alias("reason")).drop(*TEXTS)


def _header(name: str) -> Column:
    return F.expr(f"cast(element_at(filter(headers, h -> h.key = '{name}'), -1).value as string)")


def _user(writers: Mapping[int, str], reader: str) -> Column:
    # CORRECTED: Avro counts days and milliseconds in today's calendar; Spark else refuses dates before 1900.
    options = {"mode": "PERMISSIVE", "avroSchema": reader, "datetimeRebaseMode": "CORRECTED"}
    user = F.lit(None)
    for schema_id, writer in writers.items():
        body = from_avro(F.expr("substring(value, 6)"), writer, options)
        user = F.when(F.col("schema_id") == schema_id, body).otherwise(user)
    return user


def _spanned() -> Column:
    """Whether it says, in offsets, where the snapshot ended; an older relay doesn't say where it started."""
    is_offset = "e -> e.key rlike '^[0-9]+$' and e.value >= 0"
    start, end = (f"forall(map_entries({offsets}), {is_offset})" for offsets in ("epoch_start", "epoch_end"))
    return F.expr(f"epoch_end is not null and {end} and (epoch_start is null or {start})")


def _framed() -> Column:
    return F.expr("length(value) > 5 and substring(value, 1, 1) = X'00'")


def _reason(writers: Mapping[int, str]) -> Column:
    known = F.col("schema_id").isin([*writers]) if writers else F.lit(False)
    return (
        # Whatever else it looks like: no user has this header.
        F.when(F.col("epoch_end_text").isNotNull() & F.col("version").isNotNull() & _spanned(), F.lit(EPOCH_END))
        .when(F.col("epoch_end_text").isNotNull(), F.lit(UNREADABLE_END))
        .when(~F.coalesce(F.col("id").rlike(UUID), F.lit(False)), F.lit("its key is not a user's id"))
        .when(F.col("version").isNull(), F.lit("it has no header `version` with a whole number"))
        .when(F.col("tombstone"), F.lit(None))
        .when(~_framed(), F.lit("it is not in the registry's wire format"))
        .when(~known, F.lit(UNKNOWN_SCHEMA))
        # What Avro can't read comes back with every field null, and the id never is.
        .when(F.col("user.id").isNull(), F.lit("its schema does not decode it"))
        .when(F.lower(F.col("user.id")) != F.col("id"), F.lit("its id is not its key"))
    )
