"""Checks the pipeline's SQL with Spark's own analyser: a row-wise projection and filter over the view `users`."""

import re

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from cql import CQL_TYPES, Column
from status import StageError

VIEW = "users"
COLUMN_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
ROW_WISE = ("Project", "Filter", "SubqueryAlias")
CHANGES = "gives another value each time it is asked; a row may be written twice"
REFUSED = "it must be a row-wise SELECT … FROM users [WHERE …]"


def check_sql(spark: SparkSession, sql: str, users: StructType) -> tuple[Column, ...]:
    """
    The columns that `sql` makes of a view of `users`, its id left out. Nothing is run.
    Raises StageError SqlInvalid with what is wrong with it.
    """
    # Of an RDD, because the optimiser would fold a relation that it knows to be empty.
    spark.createDataFrame(spark.sparkContext.emptyRDD(), users).createOrReplaceTempView(VIEW)
    try:
        execution = _analyse(spark, sql)
        _keeps_id(execution, row_wise(spark, execution.analyzed())[-1])
        return _columns(spark.sql(sql).schema)
    except (ParseException, AnalysisException) as error:
        raise _invalid(_first_words(str(error.desc))) from error
    except Py4JJavaError as error:
        # Some commands are no error of analysis to Spark, only a plan that it can't finish.
        raise _invalid(f"{_first_words(error.java_exception.getMessage())}: {REFUSED}") from error


def _analyse(spark: SparkSession, sql: str):
    """The query execution, analysed but not run: spark.sql would carry out a command at once."""
    state = spark._jsparkSession.sessionState()
    plan = state.sqlParser().parsePlan(sql)
    execution = state.executePlan(plan, getattr(state, "executePlan$default$2")())
    execution.assertAnalyzed()
    return execution


def row_wise(spark: SparkSession, plan) -> list:
    """
    The nodes from `plan` down to the view, its last. Raises StageError SqlInvalid where one above it looks at more than
    one row at a time.
    """
    # Catalyst calls the present time deterministic, for it is one within a run.
    present = spark._jvm.org.apache.spark.sql.catalyst.trees.TreePattern.CURRENT_LIKE()
    nodes = []
    while plan.nodeName() != "View":
        kind = plan.nodeName()
        if kind not in ROW_WISE:
            raise _invalid(f"{_plain(kind)} is not allowed: {REFUSED}")
        if plan.subqueries().nonEmpty():
            raise _invalid(f"a subquery is not allowed: {REFUSED}")
        for each in listed(plan.expressions()):
            if not each.deterministic() or each.containsPattern(present):
                raise _invalid(f"{each.sql()} {CHANGES}")
        nodes.append(plan)
        plan = plan.children().apply(0)
    if plan.desc().identifier().table() != VIEW:
        raise _invalid(f"only the view users can be read: {REFUSED}")
    return [*nodes, plan]


def listed(sequence) -> list:
    """A Scala sequence as Python's."""
    return [sequence.apply(index) for index in range(sequence.size())]


def attributes(plan) -> list:
    """What a plan puts out."""
    return listed(plan.output())


def _keeps_id(execution, view) -> None:
    """The id must come through as it is, under its own name, once."""
    named = [each for each in attributes(execution.optimizedPlan()) if each.name().lower() == "id"]
    if not named:
        raise _invalid("the column id is missing: select it, every user is written under it")
    source = next(each for each in attributes(view) if each.name() == "id")
    if len(named) > 1 or named[0].exprId() != source.exprId():
        raise _invalid("the column id must be the user's own, unchanged and once")


def _columns(schema: StructType) -> tuple[Column, ...]:
    columns = []
    for field in schema.fields:
        name, kind = field.name.lower(), field.dataType.simpleString()
        if not COLUMN_NAME.fullmatch(name):
            raise _invalid(f"column {field.name}: give it a name of letters, digits and _ (… AS name)")
        if name in (column.name for column in columns):
            raise _invalid(f"column {name} comes twice")
        if kind not in CQL_TYPES:
            raise _invalid(f"column {name} is {kind}: cast it to one of {', '.join(CQL_TYPES)}")
        columns.append(Column(name, CQL_TYPES[kind]))
    return tuple(column for column in columns if column.name != "id")


def _invalid(message: str) -> StageError:
    return StageError("Spark", "SqlInvalid", f"spark.sql: {message}")


def _plain(kind: str) -> str:
    """Spark's name of a plan's node as a reader knows it."""
    known = {
        "Sort": "ORDER BY",
        "GlobalLimit": "LIMIT",
        "Generate": "explode",
        "WithCTE": "WITH",
        "OneRowRelation": "SELECT without FROM users",
    }
    return known.get(kind, kind)


def _first_words(description: str) -> str:
    """Spark's message without the plan or the caret drawing that follow it."""
    return " ".join(description.split(";\n")[0].split("== SQL")[0].split())
