"""What a test expects of its answer: a template's verdict, or a condition over the rows.

A condition is one truth value over all rows, as in ``max(ratio) > 2``. It is judged in the
process that owns the store, which no user's SQL may hold up: only comparisons, arithmetic and
functions that pass over the rows once are allowed.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import duckdb

from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.templates.sandbox import bare_cursor
from workspace_ext.protocol.hypotheses import Outcome
from workspace_ext.protocol.messages import FunctionTest, TestOutcome
from workspace_ext.protocol.validation import validate
from workspace_ext.telemetry.query.guard import Guard
from workspace_ext.telemetry.query.syntax import Parser, function_name, nodes, words

if TYPE_CHECKING:
    import pyarrow as pa

VERDICTS = ("interesting", "not interesting")
"""The expectations that a template's own rule decides."""

MOST_BYTES = 64 << 20
"""Rows beyond this size, in memory, are not held for a condition."""

MOST_CHARACTERS = 1000

_CLASSES = words(
    "BETWEEN CASE CAST COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION OPERATOR TYPE"
)
_OF_ONE_ROW = words(
    "+ - * / // % ** ~~ !~~ ~~* !~~* abs round ceil floor greatest least coalesce nullif ln log10"
    " sqrt lower upper length contains starts_with ends_with epoch date_diff isnan isfinite"
)
_FUNCTIONS = _OF_ONE_ROW | words(
    "count count_star count_if min max avg mean sum median mode quantile_cont quantile_disc"
    " stddev_samp stddev_pop var_samp var_pop corr bool_and bool_or any_value first last"
    " arg_min arg_max min_by max_by"
)
_HINT = 'as in expect="max(ratio) > 2 AND count(*) >= 30"; columns are those of the answer'


def check_expectation(expect: str) -> None:
    """Refuses what is neither a verdict nor a condition.

    Raises:
        BadInput: It is not; the message says what in it is not allowed.
    """
    if expect in VERDICTS:
        return
    if not expect.strip() or len(expect) > MOST_CHARACTERS:
        raise _bad(f"the expectation is empty or longer than {MOST_CHARACTERS} characters")
    _check(expect, "expect", _FUNCTIONS)


def check_row_condition(condition: str) -> None:
    """Refuses what is no condition over one row, as `check_expectation` does over all."""
    _check(condition, "where", _OF_ONE_ROW)


def _check(condition: str, name: str, functions: frozenset[str]) -> None:
    told = f"{name}={condition!r}"
    try:
        select = _guard().check(f"SELECT ({condition})", ())
    except BadInput as error:
        raise _bad(f"{told} is no condition: {error.message}") from error
    parts = list(nodes(select.root))
    if select.root["from_table"]["type"] != "EMPTY" or len(select.root["select_list"]) != 1:
        raise _bad(f"{told} is more than one condition")
    for part in parts:
        kind = part.get("class")
        if kind is not None and kind not in _CLASSES:
            raise _bad(f"{told}: {str(kind).lower()} is not allowed in a condition")
        if kind == "FUNCTION" and function_name(part) not in functions:
            raise _bad(f"{told}: {function_name(part)} is not allowed in a condition")
    if not any(part.get("class") == "COLUMN_REF" or _counts(part) for part in parts):
        raise _bad(f"{told} says nothing about the rows")


def check_columns(expect: str, schema: pa.Schema) -> None:
    """Refuses a condition that cannot be put to rows of a schema.

    A slip of the pen says nothing about the system, so it must not count as a test without data.

    Args:
        expect: What `check_expectation` lets pass.
        schema: The columns of the answer.

    Raises:
        BadInput: It names a column that is not there, or compares what cannot be compared.
    """
    if expect in VERDICTS:
        return
    try:
        _evaluate(expect, schema.empty_table())
    except (duckdb.Error, RuntimeError) as error:
        why = str(error).splitlines()[0].removeprefix("Binder Error: ")
        raise BadInput(
            f"expect={expect!r} cannot be put to this answer: {why}",
            hint=f"its columns are {', '.join(schema.names)}; the test was not recorded",
            code="bad_expectation",
        ) from error


def _counts(part: dict[str, Any]) -> bool:
    return part.get("class") == "FUNCTION" and function_name(part) == "count_star"


@cache
def _guard() -> Guard:
    return Guard((), Parser())


class Condition:
    """Judges the rows of one answer. Feed it every batch, then ask for the `outcome`.

    Args:
        expect: What `check_expectation` lets pass, and no verdict.
    """

    def __init__(self, expect: str) -> None:
        self._expect = expect
        self._held: list[pa.RecordBatch] = []
        self._bytes = 0

    def feed(self, batch: pa.RecordBatch) -> None:
        """Takes the next rows."""
        self._bytes += batch.nbytes
        if self._bytes > MOST_BYTES:
            self._held.clear()
        else:
            self._held.append(batch)

    def outcome(self) -> tuple[Outcome, str]:
        """What the rows say, and why; what cannot be judged is inconclusive."""
        import pyarrow as pa

        rows = sum(batch.num_rows for batch in self._held)
        if self._bytes > MOST_BYTES:
            return "inconclusive", "too many rows to judge: let the query itself summarise them"
        if not rows:
            return "inconclusive", "no rows"
        try:
            met, of = _evaluate(self._expect, pa.Table.from_batches(self._held))
        except (duckdb.Error, RuntimeError) as error:
            return "inconclusive", f"{self._expect} cannot be judged: {str(error).splitlines()[0]}"
        if of == 1 and met is not None:
            told = f"{self._expect}: {'true' if met else 'false'}, on {_counted(rows)}"
            return ("supported" if met else "refuted"), told
        if of == 1:
            return "inconclusive", f"the rows leave it open whether {self._expect}"
        many = f"{self._expect} has {rows} answers, one a row"
        return "inconclusive", f"{many}: say bool_or(…), bool_and(…), max(…)"


def _evaluate(expect: str, answer: pa.Table) -> tuple[bool | None, int]:
    """The condition's first value, and how many it has (2 stands for more)."""
    cursor = bare_cursor()
    try:
        cursor.register("answer", answer)
        # The condition has passed `check_expectation`.
        sql = f"SELECT ({expect})::BOOLEAN FROM answer LIMIT 2"  # noqa: S608
        found = cursor.execute(sql).fetchall()
    finally:
        cursor.close()
    return (found[0][0] if found else None), len(found)


def _counted(rows: int) -> str:
    return f"{rows:,} row{'s' * (rows != 1)}"


def judge_function(test: FunctionTest) -> TestOutcome:
    """What a function in a kernel says of its hypothesis: by its word, or by rows it brought.

    Raises:
        BadInput: The report is wrong, or its rows or its condition are.
    """
    validate("messages", test, definition="FunctionTest")
    told: TestOutcome = {
        "hypothesis": test["hypothesis"],
        "expect": test["expect"],
        "outcome": "inconclusive",
        "reason": test.get("reason") or "",
    }
    if "evidence" in test:
        if test["expect"] in VERDICTS:
            raise _bad("rows of a function have no rule of their own")
        check_expectation(test["expect"])
        condition = Condition(test["expect"])
        for batch in _batches(test["evidence"]):
            check_columns(test["expect"], batch.schema)
            condition.feed(batch)
        told["outcome"], told["reason"] = condition.outcome()
        return told
    supports = test.get("supports")
    if supports is not None:
        told["outcome"] = "supported" if supports else "refuted"
    words = {True: "the function found it", False: "the function found the opposite"}
    told["reason"] = told["reason"] or words.get(supports, "the function could not tell")  # type: ignore[arg-type]
    return told


def _batches(rows: list[dict[str, Any]]) -> list[pa.RecordBatch]:
    import pyarrow as pa

    try:
        batches: list[pa.RecordBatch] = pa.Table.from_pylist(rows).to_batches() if rows else []
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise BadInput(
            f"the rows of the function are no table: {error}",
            hint="give rows whose columns hold one kind of value each",
            code="bad_evidence",
        ) from error
    return batches


def _bad(message: str) -> BadInput:
    return BadInput(
        message,
        hint=f'"interesting", "not interesting", or a condition {_HINT}',
        code="bad_expectation",
    )
