"""Slices: the part of a table that some queries read, as one Parquet file for an archive."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import NotFound
from workspace_ext.storage.failures import explain
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.query.segments import write_parquet
from workspace_ext.telemetry.schema import SIGNALS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALWAYS = ("time", "batch_id")


class SliceSource:
    """Cuts slices out of the open store.

    Args:
        engine: The open store.
    """

    def __init__(self, engine: TelemetryEngine) -> None:
        self._engine = engine

    def write(
        self,
        table: str,
        columns: Sequence[str],
        windows: Sequence[Window] | None,
        *,
        pin: int,
        target: Path,
    ) -> int:
        """Writes a slice, sorted by time; the batch and the time of each row are always in it.

        Args:
            table: One of the guarded views.
            columns: The columns wanted.
            windows: The spans of time wanted; None for all of it.
            pin: The highest batch in it.
            target: The file to write.

        Returns:
            How many rows.

        Raises:
            NotFound: There is no such table or column.
            Unavailable: No space left, for instance.
        """
        signal = SIGNALS.get(table)
        known = (*signal.names, "batch_id") if signal else ()
        unknown = [column for column in columns if column not in known]
        if signal is None or unknown:
            what = f"column {unknown[0]} in {table}" if signal else f"table {table}"
            raise NotFound(f"there is no {what} to cut a slice from", hint="see the catalog")
        chosen = [name for name in known if name in columns or name in _ALWAYS]
        conditions = [f"batch_id <= {int(pin)}"]
        if windows is not None and signal.timed:
            spans = " OR ".join(_within(window) for window in windows)
            conditions.append(f"({spans})" if spans else "false")
        sql = (
            f"SELECT {', '.join(chosen)} FROM raw.{table}"  # noqa: S608 - known names, own times
            f" WHERE {' AND '.join(conditions)} ORDER BY {'time' if signal.timed else 'name'}"
        )
        try:
            with self._engine.cursor() as cursor:
                return write_parquet(cursor, sql, target)
        except (duckdb.Error, OSError) as error:
            raise explain(error, target) from error


def _within(window: Window) -> str:
    return f"(time >= {_literal(window.start_ns)} AND time < {_literal(window.end_ns + 999)})"


def _literal(time_ns: int) -> str:
    moment = _EPOCH + timedelta(microseconds=time_ns // 1000)
    return f"TIMESTAMPTZ '{moment:%Y-%m-%d %H:%M:%S.%f}+00'"
