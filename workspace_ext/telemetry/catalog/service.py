"""The catalog, as edges see it."""

from __future__ import annotations

import threading
from typing import Any

import duckdb

from workspace_ext.foundation.clock import to_rfc3339
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.schema import SIGNALS

_WITH_SERVICE = ("spans", "logs", "metrics", "events")


class Catalog:
    """Answers what is there. Safe to be called from several threads.

    Args:
        engine: The store.
    """

    def __init__(self, engine: TelemetryEngine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._overview: dict[str, Any] | None = None

    def pin(self) -> int:
        """The number of the newest batch; 0 when there is none."""
        with self._engine.cursor() as cursor:
            return _pin(cursor)

    def overview(self) -> dict[str, Any]:
        """Rows, first and last time of each signal, the names of services, and the pin."""
        with self._lock, self._engine.cursor() as cursor:
            cursor.execute("BEGIN")
            pin = _pin(cursor)
            if self._overview is None or self._overview["pin"] != pin:
                self._overview = {
                    "pin": pin,
                    "signals": {name: _extent(cursor, name) for name in SIGNALS},
                    "services": _services(cursor),
                }
            cursor.execute("COMMIT")
            return dict(self._overview)

    def services(self) -> list[str]:
        """The names of services in any signal, sorted."""
        names: list[str] = self.overview()["services"]
        return names

    def batches(self, limit: int = 100) -> list[dict[str, Any]]:
        """The newest batches, newest first."""
        with self._engine.cursor() as cursor:
            cursor.execute(
                """
                SELECT batch_id, epoch_us(committed_at), name, format, content_digest, bytes,
                       spans, logs, metrics, events, services, duplicates, quarantined,
                       epoch_us(first_time), epoch_us(last_time)
                FROM raw.batches ORDER BY batch_id DESC LIMIT $1
                """,
                [limit],
            )
            rows = cursor.fetchall()
        return [
            {
                "batch_id": row[0],
                "committed_at": _time(row[1]),
                "name": row[2],
                "format": row[3],
                "digest": row[4],
                "bytes": row[5],
                "rows": {s: n for s, n in zip(SIGNALS, row[6:11], strict=True) if n},
                "duplicates": row[11],
                "quarantined": row[12],
                "first_time": _time(row[13]),
                "last_time": _time(row[14]),
            }
            for row in rows
        ]

    def quarantine(self, limit: int = 100) -> list[dict[str, Any]]:
        """The newest records that could not be read, in the order of their file."""
        with self._engine.cursor() as cursor:
            cursor.execute(
                "SELECT batch_id, name, line, reason, record FROM raw.quarantine"
                " ORDER BY batch_id DESC, line, reason LIMIT $1",
                [limit],
            )
            names = ("batch_id", "name", "line", "reason", "record")
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def columns(self) -> dict[str, list[dict[str, str]]]:
        """The columns of each table that queries see."""
        return {
            name: [
                {"name": column, "type": kind}
                for column, kind in (*signal.columns, ("batch_id", "BIGINT"))
            ]
            for name, signal in SIGNALS.items()
        }


def _pin(cursor: duckdb.DuckDBPyConnection) -> int:
    row = cursor.execute("SELECT coalesce(max(batch_id), 0) FROM raw.batches").fetchall()
    return int(row[0][0])


def _extent(cursor: duckdb.DuckDBPyConnection, signal: str) -> dict[str, Any]:
    times = "epoch_us(min(time)), epoch_us(max(time))" if SIGNALS[signal].timed else "NULL, NULL"
    row = cursor.execute(f"SELECT count(*), {times} FROM raw.{signal}").fetchall()[0]  # noqa: S608
    return {"rows": row[0], "first_time": _time(row[1]), "last_time": _time(row[2])}


def _services(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    parts = [f"SELECT DISTINCT service AS name FROM raw.{s}" for s in _WITH_SERVICE]  # noqa: S608
    parts.append("SELECT DISTINCT name FROM raw.services")
    rows = cursor.execute(
        f"SELECT DISTINCT name FROM ({' UNION ALL '.join(parts)}) WHERE name IS NOT NULL"  # noqa: S608
        " ORDER BY name"
    ).fetchall()
    return [row[0] for row in rows]


def _time(microseconds: int | None) -> str | None:
    return None if microseconds is None else to_rfc3339(microseconds * 1000)
