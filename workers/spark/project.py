"""Applies the pipeline's SQL to users that are handed in, for the audit: what the job would write of them."""

import json
import threading
from typing import NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StructField, StructType, TimestampType

from apply import FAULT, KEPT, apply_sql
from cql import Column
from status import StageError
from wire import line_expression

#: The id as it came, out of the SQL's sight.
ID = "__id"
#: Characters that a text may have: more than the body of a request takes. Spark's own limit is 20,000,000.
LONGEST_TEXT = 2**30
JSON_OPTIONS = {"mode": "FAILFAST", "maxStringLen": str(LONGEST_TEXT)}


class Plan(NamedTuple):
    """What the query that runs was planned with."""

    spark: SparkSession
    sql: str
    users: StructType
    columns: tuple[Column, ...]


class Projector:
    """
    Works in the driver alone: the rows are a local relation, which Spark's optimiser evaluates without a job, so no
    executor is kept from the stream. One page at a time, on one thread.
    """

    def __init__(self):
        self._lock, self._plan = threading.Lock(), None

    def planned(self, plan: Plan) -> None:
        # A session of its own with the same settings: its view `users` is no one else's.
        session = SparkSession(plan.spark.sparkContext, plan.spark._jsparkSession.cloneSession())
        with self._lock:
            self._plan = plan._replace(spark=session)

    def __call__(self, body: str) -> str:
        """
        `body` has a JSON object a line, a row of the view `users` each; timestamps are milliseconds since 1970.
        The answer's first line is {"view": [[name, Spark's type], …], "columns": [[name, CQL type], …]}: the columns of
        the view, and those that the SQL makes beside the id. Then comes a JSON array a line for each row that the SQL
        keeps: its id and these columns, as texts or null; or {"id": …, "fault": where} where the SQL throws an error on it.
        Raises StageError NotPlanned, and Spark's error on a row that doesn't fit the view.
        """
        with self._lock:
            if not self._plan:
                raise StageError("Spark", "NotPlanned", "it has not planned its query yet; see the condition SparkReady")
            view = [(field.name, field.dataType.simpleString()) for field in self._plan.users.fields]
            head = json.dumps({"view": view, "columns": self._plan.columns})
            return "\n".join([head, *_projected(self._plan, body)])


def _projected(plan: Plan, body: str) -> list[str]:
    view = _view(plan, body)
    users = apply_sql(plan.sql, view.select(F.col("id").alias(ID), "*"), [ID], F.col("id").isNotNull())
    users = users.toDF(*(name.lower() for name in users.columns)).where(KEPT)
    line = f"if({FAULT} is null, {line_expression([ID], plan.columns)}, to_json(struct({ID} as id, {FAULT} as fault)))"
    lines = users.selectExpr(f"{line} as line")
    # The JVM joins what it holds: to fetch a row at a time would cost more than all else.
    text = plan.spark._jvm.java.lang.String.join("\n", getattr(lines._jdf, "as")(_strings(plan)).collectAsList())
    return [text] if text else []


def _view(plan: Plan, body: str) -> DataFrame:
    """The lines of `body` as rows with the columns of the view."""
    jvm = plan.spark._jvm
    lines = jvm.org.apache.commons.io.IOUtils.readLines(jvm.java.io.StringReader(body))
    frame = DataFrame(plan.spark._jsparkSession.createDataset(lines, _strings(plan)).toDF(), plan.spark)
    rows = frame.select(F.from_json("value", _as_sent(plan.users), JSON_OPTIONS).alias("user"))
    return rows.select(*(_column(field) for field in plan.users.fields))


def _strings(plan: Plan):
    return plan.spark._jvm.org.apache.spark.sql.Encoders.STRING()


def _as_sent(users: StructType) -> StructType:
    sent = {TimestampType(): LongType()}
    return StructType([StructField(each.name, sent.get(each.dataType, each.dataType)) for each in users.fields])


def _column(field: StructField):
    value = f"user.`{field.name}`"
    return F.expr(f"timestamp_millis({value})" if field.dataType == TimestampType() else value).alias(field.name)
