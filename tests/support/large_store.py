"""A store with a day of made-up telemetry of any size, made by DuckDB through the real schema."""

from __future__ import annotations

from pathlib import Path

from tests.support.store import open_store
from workspace_ext.inquiry.planting.bulk import DAY, fill

__all__ = ["DAY", "make"]

SPANS = 20_000_000
LOGS = 20_000_000
POINTS = 50_000_000


def make(folder: Path, scale: float) -> None:
    """Makes the store, unless it is there."""
    if folder.exists():
        return
    with open_store(folder) as store, store.engine.write() as connection:
        fill(connection, int(SPANS * scale), int(LOGS * scale), int(POINTS * scale))
        connection.execute(
            """
            INSERT INTO raw.batches BY NAME
            SELECT 1 AS batch_id, now() AS committed_at, 'made' AS name, 'made' AS format,
                   'sha256:made' AS content_digest, 0 AS bytes, 0 AS spans, 0 AS logs, 0 AS metrics,
                   300 AS events, 0 AS services, 0 AS duplicates, 0 AS quarantined
            """
        )
