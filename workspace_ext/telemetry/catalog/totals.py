"""What the whole store adds up to, for who watches its health."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from workspace_ext.storage.failures import explain
from workspace_ext.storage.telemetry import TelemetryEngine


@dataclass(frozen=True)
class Totals:
    """Sums over all batches, and over all removals.

    Attributes:
        batches: How many there are.
        quarantined: Records refused, by format.
        removed: Rows that retention removed, by signal.
        removed_at: When it removed some last, in seconds since the epoch; None for never.
    """

    batches: int
    quarantined: dict[str, int]
    removed: dict[str, int]
    removed_at: float | None


def totals(engine: TelemetryEngine) -> Totals:
    """Reads them.

    Raises:
        Unavailable: The store cannot be read.
    """
    try:
        with engine.cursor() as cursor:
            formats = cursor.execute(
                "SELECT format, count(*), sum(quarantined)::BIGINT FROM raw.batches"
                " GROUP BY 1 ORDER BY 1"
            ).fetchall()
            removals = cursor.execute(
                "SELECT signal, sum(rows)::BIGINT, epoch(max(removed_at)) FROM raw.removals"
                " GROUP BY 1 ORDER BY 1"
            ).fetchall()
    except duckdb.Error as error:
        raise explain(error, engine.folder.telemetry) from error
    return Totals(
        sum(row[1] for row in formats),
        {row[0]: row[2] for row in formats if row[2]},
        {row[0]: row[1] for row in removals},
        max((row[2] for row in removals), default=None),
    )
