"""Batches as a reader sees them: where each came from, when, and what became of its records."""

from __future__ import annotations

from typing import Any

import duckdb

from workspace_ext.telemetry.catalog.times import told
from workspace_ext.telemetry.schema import SIGNALS

_SQL = """
SELECT batch_id, epoch_us(committed_at), name, format, content_digest, bytes,
       spans, logs, metrics, events, services, duplicates, quarantined,
       epoch_us(first_time), epoch_us(last_time), adapter_version,
       epoch_us(received_at), requests, records, late, ahead, warnings
FROM raw.batches
"""


def newest(
    cursor: duckdb.DuckDBPyConnection, limit: int, *, pin: int | None = None, files: bool = False
) -> list[dict[str, Any]]:
    """The newest batches, newest first.

    Args:
        cursor: Where to read.
        limit: So many at most.
        pin: The highest one that may be shown; None for the newest.
        files: Only those of files, none of live data.
    """
    conditions = ["batch_id <= coalesce($pin, batch_id)", *(["requests IS NULL"] if files else [])]
    where = " AND ".join(conditions)
    sql = f"{_SQL} WHERE {where} ORDER BY batch_id DESC LIMIT $limit"
    return [_batch(row) for row in cursor.execute(sql, {"pin": pin, "limit": limit}).fetchall()]


def numbered(cursor: duckdb.DuckDBPyConnection, numbers: list[int]) -> list[dict[str, Any]]:
    """The batches with these numbers, newest first."""
    sql = f"{_SQL} WHERE batch_id IN (SELECT unnest($numbers)) ORDER BY batch_id DESC"
    return [_batch(row) for row in cursor.execute(sql, {"numbers": numbers}).fetchall()]


def _batch(row: tuple[Any, ...]) -> dict[str, Any]:
    rows = {signal: count for signal, count in zip(SIGNALS, row[6:11], strict=True) if count}
    kept = sum(rows.values())
    return {
        "batch_id": row[0],
        "committed_at": told(row[1]),
        "name": row[2],
        "format": row[3],
        "digest": row[4],
        "bytes": row[5],
        "rows": rows,
        "duplicates": row[11],
        "quarantined": row[12],
        "first_time": told(row[13]),
        "last_time": told(row[14]),
        "adapter_version": row[15],
        "received_at": told(row[16]),
        "requests": row[17],
        "records": kept + row[11] + row[12] if row[18] is None else row[18],
        "kept": kept,
        "late": row[19],
        "ahead": row[20],
        "warnings": row[21] or [],
    }
