"""Slices: the rows of a table that some queries could see, for an archive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import NotFound
from workspace_ext.storage.failures import explain
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.query.trusted import open_reader
from workspace_ext.telemetry.schema import SIGNALS, selection

if TYPE_CHECKING:
    import pyarrow as pa

_ALWAYS = ("time", "batch_id")


@dataclass(frozen=True)
class Slice:
    """Part of one table.

    Attributes:
        table: The guarded view.
        columns: The columns wanted.
        seen: The rows wanted: those of any of these spans of time (None: of all time) that are in
            a batch up to its pin.
    """

    table: str
    columns: tuple[str, ...]
    seen: tuple[tuple[Window | None, int], ...]


class SliceSource:
    """Cuts slices out of the open store.

    Args:
        engine: The open store.
    """

    def __init__(self, engine: TelemetryEngine) -> None:
        self._engine = engine

    def count(self, wanted: Slice) -> int:
        """How many rows a slice has.

        Raises:
            NotFound: There is no such table or column.
            Unavailable: The store cannot be read.
        """
        known = _known(wanted)
        sql = f"SELECT count(*) FROM raw.{wanted.table} WHERE {_condition(wanted, known)}"  # noqa: S608
        try:
            with self._engine.cursor() as cursor:
                row = cursor.execute(sql).fetchone()
        except duckdb.Error as error:
            raise explain(error, self._engine.folder.telemetry) from error
        return int(row[0]) if row else 0

    @contextmanager
    def rows(self, wanted: Slice) -> Iterator[pa.RecordBatchReader]:
        """The rows of a slice, each once, sorted by all that it says: time first.

        The batch and the time of each row are always in it.

        Raises:
            NotFound: There is no such table or column.
            Unavailable: No space left for sorting, for instance.
        """
        known = _known(wanted)
        chosen = [name for name in known if name in wanted.columns or name in _ALWAYS]
        order = [name for name in _ALWAYS if name in chosen]
        order += [name for name in chosen if name not in order]
        rows = selection(SIGNALS[wanted.table], chosen, _condition(wanted, known))
        sql = f"{rows} ORDER BY {', '.join(order)}"
        try:
            with self._engine.cursor() as cursor, open_reader(cursor, sql, {}) as reader:
                yield reader
        except (duckdb.Error, OSError) as error:
            raise explain(error, self._engine.folder.telemetry) from error


def _known(wanted: Slice) -> tuple[str, ...]:
    signal = SIGNALS.get(wanted.table)
    known = (*signal.names, "batch_id") if signal else ()
    unknown = [column for column in wanted.columns if column not in known]
    if signal is None or unknown:
        what = f"column {unknown[0]} in {wanted.table}" if signal else f"table {wanted.table}"
        raise NotFound(f"there is no {what} to cut a slice from", hint="see the catalog")
    return known


def _condition(wanted: Slice, known: Sequence[str]) -> str:
    parts = []
    for window, pin in wanted.seen:
        upto = f"batch_id <= {int(pin)}"
        timed = window is not None and "time" in known
        parts.append(f"({_within(window)} AND {upto})" if timed and window else f"({upto})")
    return " OR ".join(parts) or "false"


def _within(window: Window) -> str:
    start, end = (f"TIMESTAMPTZ '{moment.isoformat(' ')}'" for moment in window.moments())
    return f"time >= {start} AND time < {end}"
