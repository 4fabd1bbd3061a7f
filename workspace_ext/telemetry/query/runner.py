"""The query room's service: runs a query the way its origin demands."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from workspace_ext.protocol.messages import Compare
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.query.compare import Lint, lint
from workspace_ext.telemetry.query.free import FreeRows, FreeRunner
from workspace_ext.telemetry.query.guard import Guard
from workspace_ext.telemetry.query.model import Limits, RunningQuery, Scan
from workspace_ext.telemetry.query.syntax import Parser
from workspace_ext.telemetry.query.trusted import TrustedRows, TrustedRunner
from workspace_ext.telemetry.query.watch import Watchdog
from workspace_ext.telemetry.schema import SIGNALS

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_SIDE_THREADS = 4
_REMEMBERED = 500


class QueryRunner:
    """Runs library SQL in this process and free SQL in another. Safe to use from many threads.

    Args:
        engine: The open store.
        limits: What one query may use at most.
    """

    def __init__(self, engine: TelemetryEngine, *, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._parser = Parser()
        self._guard = Guard(SIGNALS, self._parser)
        self._watchdog = Watchdog()
        self._trusted = TrustedRunner(engine, self._watchdog)
        self._free = FreeRunner(engine, self._watchdog)
        self._library = lru_cache(_REMEMBERED)(self._read)

    def run(
        self,
        sql: str,
        values: Mapping[str, object],
        *,
        pin: int,
        limits: Limits,
        free: bool,
        cancelled: threading.Event,
    ) -> RunningQuery:
        """Starts a query.

        Args:
            sql: One SELECT over the guarded views.
            values: Its ``$name`` values.
            pin: The highest batch that it sees.
            limits: What it may use.
            free: Whether a person wrote the SQL; a template's is the library's own.
            cancelled: Set it to end the query.

        Raises:
            BadInput: The SQL is not allowed, or does not fit the tables.
            LimitExceeded: Time or memory ran out before the first rows.
        """
        if free:
            found = lint(self._guard.check(sql, values.keys()))
            free_rows = self._free.run(sql, values, pin=pin, limits=limits, cancelled=cancelled)
            return _FreeQuery(free_rows, found)
        statement, found = self._library(sql)
        rows = self._trusted.run(statement, values, pin=pin, limits=limits, cancelled=cancelled)
        return _TrustedQuery(rows, found)

    def look(
        self,
        sql: str,
        values: Mapping[str, object],
        *,
        pin: int,
        limits: Limits,
        cancelled: threading.Event,
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a query of our own that nobody records; arguments and errors as in `run`."""
        statement, _ = self._library(sql)
        rows = self._trusted.run(statement, values, pin=pin, limits=limits, cancelled=cancelled)
        return iter(rows)

    def named_values(self, sql: str) -> frozenset[str]:
        """The ``$names`` in a free query.

        Raises:
            BadInput: It is not exactly one SELECT.
        """
        return self._parser.parse(sql).parameters

    def close(self) -> None:
        """Ends the threads and processes; running queries end with an error."""
        self._free.close()
        self._trusted.close()
        self._watchdog.close()

    def _read(self, sql: str) -> tuple[duckdb.Statement, Lint]:
        select = self._parser.parse(sql)
        return select.statement, lint(select, library=True)


class _FreeQuery:
    """A `RunningQuery` over free SQL."""

    lane = "free"

    def __init__(self, rows: FreeRows, found: Lint) -> None:
        self._rows = rows
        self.schema: pa.Schema = rows.schema
        self.compare: Compare = found.compare(rows.schema)

    @property
    def scan(self) -> tuple[Scan, ...]:
        return self._rows.scan

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return iter(self._rows)

    def close(self) -> None:
        self._rows.close()


class _TrustedQuery:
    """A `RunningQuery` over library SQL."""

    scan: tuple[Scan, ...] = ()

    def __init__(self, rows: TrustedRows, found: Lint) -> None:
        self._rows = rows
        self.lane = rows.lane
        self.schema: pa.Schema = rows.schema
        self.compare: Compare = found.compare(rows.schema)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return iter(self._rows)

    def close(self) -> None:
        self._rows.close()
