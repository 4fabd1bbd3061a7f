"""Private in-memory databases: one without tables to judge in, one with the empty schema."""

from __future__ import annotations

import threading
import warnings

import duckdb

from workspace_ext.telemetry.migrations import MIGRATIONS

_LIMITS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "512MB",
    "enable_external_access": False,
}
# As in telemetry/query/trusted.py: the copy is cheaper than planning a query twice.
warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)
_lock = threading.Lock()
_shared: dict[str, duckdb.DuckDBPyConnection] = {}


def bare_cursor() -> duckdb.DuckDBPyConnection:
    """A cursor where there are no tables; the database behind it is shared."""
    return _cursor("bare")


def schema_cursor() -> duckdb.DuckDBPyConnection:
    """A cursor where the tables and views exist and are empty; nobody may fill them."""
    return _cursor("schema")


def fresh_store() -> duckdb.DuckDBPyConnection:
    """A database of one's own with the empty schema, everything in it visible."""
    connection = _connect()
    for migration in MIGRATIONS:
        connection.execute(migration.sql)
    connection.execute("SET VARIABLE pin = 9223372036854775807")
    return connection


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config=_LIMITS)
    connection.execute("SET TimeZone='UTC'")
    return connection


def _unoptimized() -> duckdb.DuckDBPyConnection:
    """Where expressions over a few rows are asked: to optimize them takes longer than that."""
    connection = _connect()
    known = connection.execute("SELECT string_agg(name, ',') FROM duckdb_optimizers()").fetchone()
    assert known is not None
    connection.execute(f"SET GLOBAL disabled_optimizers = '{known[0]}'")
    return connection


def _cursor(name: str) -> duckdb.DuckDBPyConnection:
    with _lock:
        if name not in _shared:
            connection = _unoptimized() if name == "bare" else fresh_store()
            connection.execute("SET lock_configuration=true")
            _shared[name] = connection
        return _shared[name].cursor()
