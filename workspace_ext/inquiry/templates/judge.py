"""The verdict: a template's `interesting` rule over the rows of its answer."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workspace_ext.inquiry.templates.model import Template
from workspace_ext.inquiry.templates.sandbox import bare_cursor
from workspace_ext.protocol.messages import Verdict

if TYPE_CHECKING:
    import pyarrow as pa


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
        self._top: dict[str, Any] | None = None
        self._first: dict[str, Any] | None = None
        self._warnings: list[str] = []

    def feed(self, batch: pa.RecordBatch) -> None:
        """Takes the next rows of the answer."""
        if batch.num_rows == 0:
            return
        self._rows += batch.num_rows
        if self._first is None:
            self._first = batch.slice(0, 1).to_pylist()[0]
        sql, values = rule_query(self._template, self._arguments, batch.schema.names)
        cursor = bare_cursor()
        try:
            cursor.register("answer", _as_table(batch))
            row = cursor.execute(sql, values).fetchone()
        finally:
            cursor.close()
        assert row is not None
        judged, count, first = row
        self._judged += judged
        self._interesting += count
        if self._top is None and count:
            self._top = batch.slice(first, 1).to_pylist()[0]

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
                return sentence(template.reason, self._arguments | self._top)
            return f"{self._interesting} of {self._rows} rows meet: {template.interesting}"
        if template.quiet and self._first is not None:
            return sentence(template.quiet, self._arguments | self._first)
        return f"none of {self._rows} rows meets: {template.interesting}"


def rule_query(
    template: Template, arguments: Mapping[str, object], columns: Sequence[str]
) -> tuple[str, dict[str, object]]:
    """The SQL that counts rows of ``answer``, judged and interesting, and finds the first one.

    A parameter's bare name stands for its value unless a column has that name.
    """
    values = {name: value for name, value in arguments.items() if name not in columns}
    given = ", ".join(f'${name} AS "{name}"' for name in values) or '1 AS "1"'
    # The rule is the template's own code, checked by lint; values are bound.
    rule = f"({template.interesting})::BOOLEAN AS hit"
    rows = "(SELECT *, row_number() OVER () - 1 AS position FROM answer)"
    sql = (
        "SELECT count(hit), count(*) FILTER (hit), coalesce(min(position) FILTER (hit), 0)"  # noqa: S608
        f" FROM (SELECT position, {rule} FROM {rows}, (SELECT {given}))"
    )
    return sql, values


def _as_table(batch: pa.RecordBatch) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_batches([batch])


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
