"""The pin: what "the same data" means, as a number."""

from __future__ import annotations

import duckdb


def newest_pin(connection: duckdb.DuckDBPyConnection) -> int:
    """The highest ``batch_id`` that a connection can see; 0 when there is none."""
    rows = connection.execute("SELECT coalesce(max(batch_id), 0) FROM raw.batches").fetchall()
    return int(rows[0][0])
