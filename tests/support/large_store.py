"""A store with a day of made-up telemetry of any size, made by DuckDB through the real schema.

At full scale an hour of it holds 833,000 spans, as many lines of log and 2.1 million points.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.store import open_store
from workspace_ext.inquiry.planting.bulk import DAY, fill

__all__ = ["DAY", "make"]

SPANS = 20_000_000
LOGS = 20_000_000
POINTS = 50_000_000


def make(folder: Path, scale: float, hours: tuple[float, float] = (0, 24)) -> None:
    """Makes the store, unless it is there.

    Args:
        folder: Where.
        scale: 1 for all of `SPANS`, `LOGS` and `POINTS` in the day.
        hours: The part of the day that is made, as dense as in the whole day.
    """
    if folder.exists():
        return
    with open_store(folder) as store, store.engine.write() as connection:
        counts = (int(count * scale) for count in (SPANS, LOGS, POINTS))
        fill(connection, *counts, hours=hours)
        connection.execute(
            """
            INSERT INTO raw.batches BY NAME
            SELECT 1 AS batch_id, now() AS committed_at, 'made' AS name, 'made' AS format,
                   'sha256:made' AS content_digest, 0 AS bytes, 0 AS spans, 0 AS logs, 0 AS metrics,
                   300 AS events, 0 AS services, 0 AS duplicates, 0 AS quarantined
            """
        )
