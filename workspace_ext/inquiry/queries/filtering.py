"""Filtering: some rows of an answer, by a condition over its columns.

The condition is judged in the process that owns the store, which no user's SQL may hold up: only
comparisons, arithmetic and functions of single values are allowed, those of `expectation` without
the ones over many rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import duckdb

from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.queries.expectation import MOST_CHARACTERS, check_row_condition
from workspace_ext.inquiry.templates.sandbox import bare_cursor

if TYPE_CHECKING:
    import pyarrow as pa

    from workspace_ext.telemetry.query.model import RunningQuery, Scan


def check_where(condition: str) -> None:
    """Refuses what is no condition over one row.

    Raises:
        BadInput: It is none; the message says what in it is not allowed.
    """
    if not condition.strip() or len(condition) > MOST_CHARACTERS:
        raise _bad(f"where is empty or longer than {MOST_CHARACTERS} characters")
    check_row_condition(condition)


class Filtered:
    """A `RunningQuery` without the rows that do not meet a condition.

    Raises:
        BadInput: The condition does not fit the columns.
    """

    def __init__(self, running: RunningQuery, condition: str) -> None:
        self._running = running
        self._condition = condition
        self.schema: pa.Schema = running.schema
        self.lane = running.lane
        self.compare = running.compare
        try:
            self._kept(self.schema.empty_table())
        except BaseException:
            running.close()
            raise

    @property
    def scan(self) -> tuple[Scan, ...]:
        """What the query read."""
        return self._running.scan

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The rows that meet it, in their order."""
        import pyarrow as pa

        for batch in self._running:
            yield from self._kept(pa.Table.from_batches([batch])).to_batches()

    def close(self) -> None:
        """Ends the query."""
        self._running.close()

    def _kept(self, rows: pa.Table) -> pa.Table:
        import pyarrow as pa

        names = [f'"{name}"' for name in rows.column_names]
        cursor = bare_cursor()
        try:
            cursor.register("answer", rows)
            # The condition has passed `check_where`; it sees the columns by their names.
            sql = f"SELECT coalesce(({self._condition})::BOOLEAN, false) FROM answer"  # noqa: S608
            mask = cursor.sql(sql).to_arrow_table().column(0)
        except duckdb.Error as error:
            told = str(error).splitlines()[0]
            raise _bad(f"where {self._condition!r}: {told}", ", ".join(names)) from error
        finally:
            cursor.close()
        return rows.filter(mask.cast(pa.bool_()))


def _bad(message: str, columns: str = "") -> BadInput:
    hint = (
        f"the columns are {columns}" if columns else "as in where(\"service = 'cart' AND z > 4\")"
    )
    return BadInput(message, hint=hint, code="bad_where")
