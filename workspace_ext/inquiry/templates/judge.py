"""The verdict: a template's `interesting` rule over the rows of its answer."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from workspace_ext.inquiry.templates.model import Template
from workspace_ext.inquiry.templates.sandbox import bare_cursor
from workspace_ext.protocol.messages import Verdict

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_REMEMBERED = 200


class Judge:
    """Judges one answer while its rows pass by.

    A rule that is NULL for a row leaves it open: too few calls, or no baseline. When it leaves
    all rows open, so is the verdict: having seen nothing is not having seen that nothing is.

    Args:
        template: Whose rule it is.
        arguments: `Bound.arguments` of the query.
    """

    def __init__(self, template: Template, arguments: Mapping[str, object]) -> None:
        self._template = template
        self._arguments = dict(arguments)
        self._rows = 0
        self._judged = 0
        self._interesting = 0
        self._top: pa.RecordBatch | None = None
        self._first: pa.RecordBatch | None = None
        self._warnings: list[str] = []

    def feed(self, batch: pa.RecordBatch) -> None:
        """Takes the next rows of the answer."""
        if batch.num_rows == 0:
            return
        self._rows += batch.num_rows
        if self._first is None:
            self._first = batch.slice(0, 1)
        sql, values = rule_query(self._template, self._arguments, batch.schema.names)
        cursor = bare_cursor()
        try:
            cursor.register("answer", batch)
            row = cursor.execute(_parsed(sql), values).fetchone()
        finally:
            cursor.close()
        assert row is not None
        judged, count, first = row
        self._judged += judged
        self._interesting += count
        if self._top is None and count:
            self._top = batch.slice(first, 1)

    def warn(self, warnings: Sequence[str]) -> None:
        """Adds what is known about the quality of the data."""
        self._warnings.extend(warnings)

    def verdict(self) -> Verdict:
        """The verdict on everything fed so far."""
        return {
            "interesting": self._interesting > 0 if self._judged else None,
            "reason": self._reason(),
            "rows": self._rows,
            "interesting_rows": self._interesting,
            "warnings": list(self._warnings),
        }

    def _reason(self) -> str:
        template = self._template
        if not self._rows:
            return "no rows"
        if not self._judged:
            return f"too little data to judge any of the {self._rows} rows"
        if self._top is not None:
            if template.reason:
                return self._sentence(template.reason, self._top)
            return f"{self._interesting} of {self._rows} rows meet: {template.interesting}"
        if template.quiet and self._first is not None:
            return self._sentence(template.quiet, self._first)
        return f"none of {self._rows} rows meets: {template.interesting}"

    def _sentence(self, text: str, row: pa.RecordBatch) -> str:
        names = {name for _, name, _, _ in string.Formatter().parse(text)}
        values = {
            name: column[0].as_py()
            for name, column in zip(row.schema.names, row.columns, strict=True)
            if name in names
        }
        return sentence(text, self._arguments | values)


def rule_query(
    template: Template, arguments: Mapping[str, object], columns: Sequence[str]
) -> tuple[str, dict[str, object]]:
    """The SQL that counts rows of ``answer``, judged and interesting, and finds the first one."""
    rows, values = _rows(arguments, columns)
    judged = f"(SELECT position, ({template.interesting})::BOOLEAN AS hit FROM {rows})"  # noqa: S608
    sql = (
        "SELECT count(hit), count(*) FILTER (hit), coalesce(min(position) FILTER (hit), 0)"  # noqa: S608
        f" FROM {judged}"
    )
    return sql, values


def hits(
    conditions: Sequence[str], arguments: Mapping[str, object], answer: pa.Table
) -> list[list[int]]:
    """The positions of the rows that meet each condition, which lint has let pass.

    All are asked at once: to plan a question takes longer than to answer it. One that cannot take
    a row's values is not met there.
    """
    rows, values = _rows(arguments, answer.column_names)
    met = ", ".join(
        f"list(position ORDER BY position) FILTER (TRY(({condition})::BOOLEAN))"
        for condition in conditions
    )
    cursor = bare_cursor()
    try:
        cursor.register("answer", answer)
        found = cursor.execute(_parsed(f"SELECT {met} FROM {rows}"), values).fetchone()  # noqa: S608
    finally:
        cursor.close()
    assert found is not None
    return [positions or [] for positions in found]


def _rows(arguments: Mapping[str, object], columns: Sequence[str]) -> tuple[str, dict[str, object]]:
    """The rows of ``answer``, each with its position, and the values of the parameters.

    A parameter's bare name stands for its value unless a column has that name.
    """
    values = {name: value for name, value in arguments.items() if name not in columns}
    given = "".join(f', ${name} AS "{name}"' for name in values)
    # The conditions are the template's own code, checked by lint; values are bound.
    return f"(SELECT *, row_number() OVER () - 1 AS position{given} FROM answer)", values  # noqa: S608


@lru_cache(_REMEMBERED)
def _parsed(sql: str) -> duckdb.Statement:
    """A rule's query, parsed: that would take as long as running it."""
    (statement,) = bare_cursor().extract_statements(sql)
    return statement


def sentence(text: str, values: Mapping[str, Any]) -> str:
    """A header's sentence with the values of one row filled in."""
    return _Sentence().vformat(text, (), values)


class _Sentence(string.Formatter):
    """`str.format` over plain names only; what is missing is shown as ``n/a``."""

    def get_field(self, field_name: str, _: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return kwargs.get(field_name), field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        if value is None:
            return "n/a"
        try:
            return str(format(value, format_spec))
        except (TypeError, ValueError):
            return str(value)
