"""Applies the pipeline's SQL to users. A user on which it throws an error is told, and stops no other."""

from typing import Mapping

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sql import VIEW, attributes, listed, row_wise

#: Whether the SQL keeps a row, and where it throws an error on it; no SQL can name these by accident.
KEPT, FAULT = "__kept", "__fault"
OPEN = f"{KEPT} and {FAULT} is null"


def apply_sql(sql: str, users: DataFrame, carried: list[str], sound: SparkColumn) -> DataFrame:
    """
    `sql`, which check_sql has let through, on the columns of `users` that are not `carried`. No row is dropped: the
    carried columns come first, then KEPT (false where the SQL's filter drops the row, or it isn't `sound` to begin
    with), FAULT (what of the SQL throws an error on it, else null), then the SQL's own columns, null in other rows.
    `sound` must look at the row: behind a constant, what occurs twice would be evaluated beforehand, where no error is caught.
    """
    users.drop(*carried).createOrReplaceTempView(VIEW)
    spark = users.sparkSession
    nodes = row_wise(spark, spark.sql(sql)._jdf.queryExecution().analyzed())
    hidden = [*carried, KEPT, FAULT]
    columns = [users[name] for name in users.columns if name not in carried]
    users = users.select(*carried, sound.alias(KEPT), F.lit(None).cast("string").alias(FAULT), *columns)
    # Expressions name their inputs by identity, which the view shares with `users` and each projection with the next.
    for node in reversed(nodes[:-1]):
        if node.nodeName() == "Filter":
            users = _filter(users, hidden, node.condition())
        elif node.nodeName() == "Project":
            users = _project(users, hidden, listed(node.projectList()))
    return users


def _filter(users: DataFrame, hidden: list[str], condition) -> DataFrame:
    columns = _others(users, hidden)
    passes = F.coalesce(_column(users, condition), F.lit(False))
    kept = F.expr(f"{KEPT} and coalesce({_name(0)}.value, true)")
    return _try(users, {0: ("WHERE", passes)}).withColumn(KEPT, kept).select(*hidden, *columns)


def _project(users: DataFrame, hidden: list[str], projections: list) -> DataFrame:
    computed = {index: each for index, each in enumerate(projections) if each.children().nonEmpty()}
    parts = {index: (f"column {each.name()}", _column(users, each.child())) for index, each in computed.items()}
    columns = [_of_try(users, each, index) if index in computed else each for index, each in enumerate(projections)]
    return _try(users, parts).select(*hidden, *(_column(users, each) for each in columns))


def _try(users: DataFrame, parts: Mapping[int, tuple[str, SparkColumn]]) -> DataFrame:
    """
    Adds a struct of the `value` of each part, null where it throws an error or the row no longer counts; FAULT names the
    first that did. Behind its condition each part is evaluated by itself, never once for several beforehand.
    """
    tries = [F.when(F.expr(OPEN), _tried(users, part)).alias(_name(index)) for index, (_, part) in parts.items()]
    threw = [F.when(F.expr(f"{OPEN} and {_name(index)} is null"), F.lit(what)) for index, (what, _) in parts.items()]
    return users.select("*", *tries).withColumn(FAULT, F.coalesce(FAULT, *threw))


def _tried(users: DataFrame, part: SparkColumn) -> SparkColumn:
    """What Spark's own try_… functions are made of: null where an exception comes."""
    value = F.struct(part.alias("value"))._jc.expr()
    return _column(users, users.sparkSession._jvm.org.apache.spark.sql.catalyst.expressions.TryEval(value))


def _of_try(users: DataFrame, named, index: int):
    """The named expression with the value that was tried in the place of its own, under its own identity."""
    value = F.col(f"{_name(index)}.value")._jc.expr()
    return named.withNewChildren(users.sparkSession._jvm.PythonUtils.toSeq([value]))


def _name(index: int) -> str:
    return f"__try{index}"


def _others(users: DataFrame, hidden: list[str]) -> list[SparkColumn]:
    return [_column(users, each) for each in attributes(users._jdf.queryExecution().analyzed())[len(hidden) :]]


def _column(frame: DataFrame, expression) -> SparkColumn:
    return SparkColumn(frame.sparkSession._jvm.org.apache.spark.sql.Column(expression))
