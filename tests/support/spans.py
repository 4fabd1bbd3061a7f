"""A store with batches of made-up spans and logs: one a second, whatever a test needs of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from tests.support.store import Store
from workspace_ext.telemetry.query.model import Limits, RunningQuery
from workspace_ext.telemetry.query.runner import QueryRunner

Run = Callable[..., RunningQuery]
START = "2024-05-01T10:00:00Z"
ROWS = 600
"""Of each batch: ten minutes."""


def add_batch(store: Store, *, rows: int = ROWS) -> int:
    """Commits one more batch, whose times follow the one before; returns its number."""
    batch = store.catalog.pin() + 1
    first = (batch - 1) * ROWS
    at = f"TIMESTAMPTZ '{START}' + to_seconds(i::BIGINT)"
    with store.engine.write() as connection:
        connection.execute(
            f"""
            INSERT INTO raw.spans BY NAME
            SELECT {at} AS time, epoch_ns({at}) AS time_ns, (i % 7 + 1) * 1000000 AS duration_ns,
                   'trace' || (i // 4) AS trace_id, 'span' || i AS span_id,
                   'GET /' || (i % 5) AS name,
                   CASE WHEN i % 50 = 0 THEN 'error' ELSE 'ok' END AS status,
                   'service-' || (i % 3) AS service, MAP {{'i': i::VARCHAR}} AS attributes,
                   {batch} AS batch_id
            FROM range({first}, {first + rows}) r(i);
            INSERT INTO raw.logs BY NAME
            SELECT {at} AS time, epoch_ns({at}) AS time_ns, 'line ' || i AS body,
                   'span' || i AS span_id, 'service-' || (i % 3) AS service, {batch} AS batch_id
            FROM range({first}, {first + rows}) r(i);
            INSERT INTO raw.batches BY NAME
            SELECT {batch} AS batch_id, now() AS committed_at, 'made' AS name, 'made' AS format,
                   'sha256:' || sha256('{batch}') AS content_digest, 0 AS bytes,
                   {rows} AS spans, {rows} AS logs,
                   0 AS metrics, 0 AS events, 0 AS services, 0 AS duplicates, 0 AS quarantined
            """
        )
    return batch


def starter(runner: QueryRunner, *, free: bool) -> Run:
    def run(
        sql: str,
        values: dict[str, Any] | None = None,
        *,
        pin: int = 2,
        limits: Limits | None = None,
        cancelled: threading.Event | None = None,
    ) -> RunningQuery:
        return runner.run(
            sql,
            values or {},
            pin=pin,
            limits=limits or Limits(),
            free=free,
            cancelled=cancelled or threading.Event(),
        )

    return run


def table(running: RunningQuery) -> pa.Table:
    return pa.Table.from_batches(list(running), running.schema)
