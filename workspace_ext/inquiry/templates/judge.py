"""The verdict: a template's conditions over the rows of its answer.

Its `interesting` rule and what says where rows lead are asked in one statement: to plan one takes
longer than to answer it.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from workspace_ext.inquiry.templates.model import Template
from workspace_ext.inquiry.templates.sandbox import bare_cursor
from workspace_ext.protocol.messages import Verdict

if TYPE_CHECKING:
    import pyarrow as pa

    Met = np.ndarray[Any, np.dtype[np.int8]]
    """Of each row, whether it meets a condition: 1, 0, or -1 where that is open."""

_REMEMBERED = 200
_FEW_ROWS = 200
"""So few are handed over as lists: to make them a table takes longer than to judge them."""

_AS_LISTS = {
    "bool": "BOOLEAN",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "string": "VARCHAR",
}
"""Types of Arrow whose values come through Python unchanged, and what SQL calls them."""

_LED_ROWS = 1000
"""Of how many rows it is told where each leads; nobody drills into more."""


class Judge:
    """Judges one answer while its rows pass by.

    A rule that is NULL for a row leaves it open: too few calls, or no baseline. When it leaves
    all rows open, so is the verdict: having seen nothing is not having seen that nothing is.

    Args:
        template: Whose rule it is.
        arguments: `Bound.arguments` of the query.

    Attributes:
        rows: How many it was fed.
        led: For each entry of the header's ``next`` that has a condition, the rows that meet it,
            of the first thousand. A condition that cannot be asked is met nowhere, as are then
            the others.
    """

    def __init__(self, template: Template, arguments: Mapping[str, object]) -> None:
        self._template = template
        self._arguments = dict(arguments)
        self._onward = [each.when for each in template.next if each.when]
        self.rows = 0
        self.led: list[list[int]] = [[] for _ in self._onward]
        self._judged = 0
        self._interesting = 0
        self._top: pa.RecordBatch | None = None
        self._opening: pa.RecordBatch | None = None
        self._first: pa.RecordBatch | None = None
        self._warnings: list[str] = []

    def feed(self, batch: pa.RecordBatch) -> None:
        """Takes the next rows of the answer."""
        if batch.num_rows == 0:
            return
        if self._opening is None:
            self._opening = batch.slice(0, 1)
        hit, *led = self._answers(batch)
        interesting = _places(hit)
        judged = hit >= 0
        if self._first is None and judged.any():
            self._first = batch.slice(int(judged.argmax()), 1)
        self._judged += int(judged.sum())
        self._interesting += len(interesting)
        if self._top is None and interesting:
            self._top = batch.slice(interesting[0], 1)
        for rows, met in zip(self.led, led, strict=False):
            rows.extend(self.rows + place for place in _places(met[: _LED_ROWS - self.rows]))
        self.rows += batch.num_rows

    def warn(self, warnings: Sequence[str]) -> None:
        """Adds what is known about the quality of the data."""
        self._warnings.extend(warnings)

    def verdict(self) -> Verdict:
        """The verdict on everything fed so far."""
        return {
            "interesting": self._interesting > 0 if self._judged else None,
            "reason": self._reason(),
            "rows": self.rows,
            "interesting_rows": self._interesting,
            "warnings": list(self._warnings),
        }

    def _answers(self, batch: pa.RecordBatch) -> list[Met]:
        """Whether each row is interesting, then of the first rows whether each leads on."""
        rule = self._template.interesting
        if self._onward and self.rows < _LED_ROWS:
            distinct = list(dict.fromkeys((rule, *self._onward)))
            try:
                met = _asked(rule, distinct[1:], self._arguments, batch)
                return [met[distinct.index(each)] for each in (rule, *self._onward)]
            except duckdb.Error:  # what may be next never costs the answer
                self._onward = []
        return _asked(rule, (), self._arguments, batch)

    def _reason(self) -> str:
        template = self._template
        if not self.rows:
            return sentence(template.empty, self._arguments) or "no rows"
        if not self._judged:
            too_little = f"too little data to judge any of the {self.rows} rows"
            return self._sentence(template.open, self._opening) or too_little
        if self._top is not None:
            found = f"{self._interesting} of {self.rows} rows meet: {template.interesting}"
            return self._sentence(template.reason, self._top) or found
        none = f"none of {self.rows} rows meets: {template.interesting}"
        return self._sentence(template.quiet, self._first) or none

    def _sentence(self, text: str, row: pa.RecordBatch | None) -> str:
        if row is None or not text:
            return ""
        names = {name for _, name, _, _ in string.Formatter().parse(text)}
        values = {
            name: column[0].as_py()
            for name, column in zip(row.schema.names, row.columns, strict=True)
            if name in names
        }
        return sentence(text, self._arguments | values)


@dataclass(frozen=True)
class Conditions:
    """Conditions on each row of an answer, as SQL: true, false, or NULL where one is open.

    Attributes:
        asked: The list of a SELECT.
        values: What it binds. A parameter's bare name stands for its value unless a column has
            that name.
        needed: The columns that it may need: to hand over the others takes as long as the
            question.
    """

    asked: str
    values: dict[str, object]
    needed: list[str]

    @classmethod
    def of(
        cls,
        rule: str,
        onward: Sequence[str],
        arguments: Mapping[str, object],
        columns: Sequence[str],
    ) -> Conditions:
        """The conditions over the columns of an answer.

        Args:
            rule: Fails where it cannot take a row's values.
            onward: Conditions that are NULL there.
            arguments: `Bound.arguments` of the query.
            columns: Of the answer.
        """
        asked = ", ".join((f"({rule})::BOOLEAN", *(f"TRY(({each})::BOOLEAN)" for each in onward)))
        said = asked.casefold()
        needed = [name for name in columns if name.casefold() in said] or list(columns[:1])
        values = {n: v for n, v in arguments.items() if n not in columns and n.casefold() in said}
        return cls(asked, values, needed)

    def over(self, columns: str, source: str) -> str:
        """The question about rows: the list of their SELECT, and what follows it."""
        given = "".join(f', ${name} AS "{name}"' for name in self.values)
        # The conditions are the template's own code, checked by lint; values are bound.
        return f"SELECT {self.asked} FROM (SELECT {columns}{given} {source})"  # noqa: S608


def _asked(
    rule: str, onward: Sequence[str], arguments: Mapping[str, object], batch: pa.RecordBatch
) -> list[Met]:
    conditions = Conditions.of(rule, onward, arguments, batch.schema.names)
    rows = batch.select(conditions.needed)
    kinds = [_AS_LISTS.get(str(kind)) for kind in rows.schema.types]
    cursor = bare_cursor()
    try:
        if batch.num_rows <= _FEW_ROWS and None not in kinds:
            lists = {f"_{place}": column.to_pylist() for place, column in enumerate(rows)}
            answer = ", ".join(
                f'unnest(${given}::{kind}[]) AS "{name}"'
                for given, kind, name in zip(lists, kinds, conditions.needed, strict=True)
            )
            cursor.execute(_parsed(conditions.over(answer, "")), conditions.values | lists)
            met = [[-1 if value is None else value for value in row] for row in cursor.fetchall()]
            return list(np.array(met, np.int8).T)
        cursor.register("answer", rows)
        query = _parsed(conditions.over("*", "FROM answer"))
        found: Any = cursor.execute(query, conditions.values).to_arrow_table()
    finally:
        cursor.close()
    return [_numbers(column.combine_chunks()) for column in found.columns]


def _numbers(column: pa.BooleanArray) -> Met:
    numbers = column.cast("int8").fill_null(-1)
    return np.frombuffer(numbers.buffers()[1], np.int8)[numbers.offset :][: len(numbers)]


def _places(met: Met) -> list[int]:
    """The rows where it is true."""
    return [int(place) for place in (met == 1).nonzero()[0]]


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
        if isinstance(value, datetime):
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
        if isinstance(value, str) and format_spec[:1] == "." and format_spec[1:].isdigit():
            return _in_line(value, int(format_spec[1:]))
        try:
            return str(format(value, format_spec))
        except (TypeError, ValueError):
            return str(value)


def _in_line(text: str, most: int) -> str:
    """A text in one line, and where it is too long, up to its last whole word."""
    text = "; ".join(line for line in text.splitlines() if line)
    if len(text) <= most:
        return text
    kept, _, torn = text[:most].rpartition(" ")
    return f"{kept.rstrip(' ,;:') if len(kept) > most // 2 else kept + ' ' * bool(kept) + torn}…"
