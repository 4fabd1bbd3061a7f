"""Sealed segments: Parquet copies of the telemetry, sorted by time, for who may not open the store.

``segments/<table>/<from>-<to>.parquet`` holds the rows of the batches from … to, both included.
A segment appears whole or not at all, and is never changed; sealing again adds what is new.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
from collections.abc import Mapping
from pathlib import Path

import duckdb

from workspace_ext.storage.failures import explain
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.schema import SIGNALS, Signal

_NAME = re.compile(r"(\d+)-(\d+)\.parquet")
_ROW_GROUP_ROWS = 100_000


class Segments:
    """Seals batches when somebody needs them. Safe to use from several threads.

    Args:
        engine: The open store; segments go into its folder.
    """

    def __init__(self, engine: TelemetryEngine) -> None:
        self._engine = engine
        self._folder = engine.folder.segments
        self._lock = threading.Lock()
        for left_over in self._folder.glob("*/.*"):
            left_over.unlink(missing_ok=True)

    def upto(self, pin: int) -> Mapping[str, list[Path]]:
        """The segments of each table that together hold every batch up to a pin.

        They may hold later batches too: filter by ``batch_id``.

        Raises:
            Unavailable: No space left, for instance.
        """
        try:
            with self._lock, self._engine.cursor() as cursor:
                return {name: self._table(cursor, SIGNALS[name], pin) for name in SIGNALS}
        except (duckdb.Error, OSError) as error:
            raise explain(error, self._folder) from error

    def _table(self, cursor: duckdb.DuckDBPyConnection, signal: Signal, pin: int) -> list[Path]:
        folder = self._folder / signal.name
        sealed = _sealed(folder)
        after = max((last for _, last, _ in sealed), default=0)
        row = cursor.execute(
            f"SELECT max(batch_id) FROM raw.{signal.name}"  # noqa: S608 - own names and numbers
            f" WHERE batch_id > {after} AND batch_id <= {int(pin)}"
        ).fetchone()
        if row is not None and row[0] is not None:
            folder.mkdir(exist_ok=True)
            path = folder / f"{after + 1}-{row[0]}.parquet"
            _seal(cursor, signal, after + 1, row[0], path)
            sealed.append((after + 1, row[0], path))
        return [path for first, _, path in sealed if first <= pin]


def _sealed(folder: Path) -> list[tuple[int, int, Path]]:
    found = []
    for path in folder.glob("*.parquet"):
        match = _NAME.fullmatch(path.name)
        if match:
            found.append((int(match[1]), int(match[2]), path))
    return sorted(found)


def _seal(
    cursor: duckdb.DuckDBPyConnection, signal: Signal, first: int, last: int, path: Path
) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    order = "time" if signal.timed else "name"
    try:
        write_parquet(
            cursor,
            f"SELECT * FROM raw.{signal.name} WHERE batch_id BETWEEN {first} AND {last}"  # noqa: S608
            f" ORDER BY {order}",
            temporary,
        )
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_parquet(cursor: duckdb.DuckDBPyConnection, sql: str, path: Path) -> int:
    """Writes a query's rows as Parquet, in row groups that suit a time window.

    Returns:
        How many rows.
    """
    quoted = str(path).replace("'", "''")
    row = cursor.execute(
        f"COPY ({sql}) TO '{quoted}'"
        f" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP_ROWS})"
    ).fetchone()
    return int(row[0]) if row else 0
