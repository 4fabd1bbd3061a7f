"""Slices: part of a table, up to a pin, as one Parquet file; what an archive carries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from workspace_ext.foundation.clock import Window
from workspace_ext.storage.failures import explain
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.query.segments import write_parquet
from workspace_ext.telemetry.schema import SIGNALS


class SliceSource:
    """Cuts slices out of an open store.

    Args:
        engine: The store.
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
        """Writes the rows that a pin shows.

        Args:
            table: The guarded view.
            columns: Which; ``batch_id`` comes along.
            windows: Which times; None: all.
            pin: The highest batch.
            target: A new file.

        Returns:
            How many rows.

        Raises:
            Unavailable: No space left, for instance.
        """
        signal = SIGNALS[table]
        wanted = [name for name in signal.names if name in set(columns)]
        shown = ", ".join([*wanted, "batch_id"])
        times = " OR ".join(map(_within, windows or ())) if windows is not None else "true"
        order = "time, time_ns" if signal.timed and "time_ns" in wanted else "ALL"
        sql = (
            f"SELECT {shown} FROM raw.{table}"  # noqa: S608 # names of the schema, and numbers
            f" WHERE batch_id <= {int(pin)} AND ({times or 'false'}) ORDER BY {order}"
        )
        try:
            with self._engine.cursor() as cursor:
                return write_parquet(cursor, sql, target)
        except (duckdb.Error, OSError) as error:
            raise explain(error, target) from error


def _within(window: Window) -> str:
    start, end = window.start_ns // 1000, -(-window.end_ns // 1000)  # microseconds, outwards
    return f"(time >= make_timestamptz({start}) AND time < make_timestamptz({end}))"
