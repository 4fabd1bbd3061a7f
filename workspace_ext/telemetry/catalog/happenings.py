"""Alerts, deploys, flag changes and other events of a window, as a timeline shows them."""

from __future__ import annotations

from typing import Any

import duckdb

from workspace_ext.foundation.clock import Window
from workspace_ext.telemetry.catalog.times import told

MOST = 1000

_SQL = """
SELECT epoch_us(time), epoch_us(end_time), kind, source, service, severity, title, state
FROM raw.events
WHERE batch_id <= $pin AND ($kind IS NULL OR kind = $kind)
  AND ($start IS NULL OR coalesce(end_time, time) >= make_timestamptz($start))
  AND ($end IS NULL OR time < make_timestamptz($end))
QUALIFY row_number() OVER (
    PARTITION BY CASE WHEN kind = 'alert' THEN coalesce(fingerprint || time_ns, rowid::VARCHAR)
        ELSE rowid::VARCHAR END
    ORDER BY end_time DESC NULLS LAST, batch_id DESC, state
) = 1
ORDER BY time DESC, kind, title, service, source LIMIT $limit
"""


def newest(
    cursor: duckdb.DuckDBPyConnection,
    window: Window | None,
    *,
    pin: int,
    kind: str | None = None,
    limit: int = MOST,
) -> list[dict[str, Any]]:
    """The newest events that touch a window, the newest first; an alert once, as it stands.

    Args:
        cursor: Where to read.
        window: The time; all of it when None.
        pin: The highest batch that counts.
        kind: The only kind wanted, as in ``alert``.
        limit: So many at most.
    """
    rows = cursor.execute(
        _SQL,
        {
            "pin": pin,
            "kind": kind,
            "start": window.start_ns // 1000 if window else None,
            "end": -(-window.end_ns // 1000) if window else None,
            "limit": min(limit, MOST),
        },
    ).fetchall()
    names = ("kind", "source", "service", "severity", "title", "state")
    return [
        {"time": told(row[0]), "end_time": told(row[1]), **dict(zip(names, row[2:], strict=True))}
        for row in rows
    ]
