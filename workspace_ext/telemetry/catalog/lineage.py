"""Lineage: from what a query scanned back to the batches that the rows came in.

A query over many rows does not say which of them an output row rests on. What can be said for
certain is which batches the rows of the scanned windows came in: nothing else can have had an
influence. That is told, and told as that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from workspace_ext.foundation.clock import Window, united
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.catalog import batches
from workspace_ext.telemetry.catalog.times import within
from workspace_ext.telemetry.query.model import Scan
from workspace_ext.telemetry.schema import SIGNALS

MOST_BATCHES = 1000
"""So many batches are told one by one; of all of them their sources are."""


class Origins:
    """Walks from rows back to where they came from. Safe to be called from several threads.

    Args:
        engine: The store.
    """

    def __init__(self, engine: TelemetryEngine) -> None:
        self._engine = engine

    def of_scans(self, scans: Sequence[Scan], pin: int) -> dict[str, Any]:
        """The batches of all rows that these scans could read at a pin.

        Returns:
            ``batches``, newest first and at most `MOST_BATCHES`, each as the catalog has it with
            the rows it ``contributed`` by signal; ``sources``, the same by source and adapter;
            ``batches_total``.
        """
        with self._engine.cursor() as cursor:
            contributed: dict[int, dict[str, int]] = {}
            for table, windows in _by_table(scans).items():
                for number, rows in _rows(cursor, table, windows, pin):
                    contributed.setdefault(number, {})[table] = rows
            return _told(cursor, contributed)

    def of_rows(self, numbers: Mapping[int, int]) -> dict[str, Any]:
        """The batches of the very rows of a result that carries their ``batch_id``.

        Args:
            numbers: How many rows of the result each batch has.

        Returns:
            As `of_scans` does; the rows are counted under ``result``.
        """
        with self._engine.cursor() as cursor:
            return _told(cursor, {number: {"result": rows} for number, rows in numbers.items()})


def _by_table(scans: Sequence[Scan]) -> dict[str, list[Window] | None]:
    """The windows that were read of each table; None for all of it."""
    found: dict[str, list[Window] | None] = {}
    for scan in scans:
        known = found.setdefault(scan.table, [])
        if scan.window is None:
            found[scan.table] = None
        elif known is not None:
            known.append(scan.window)
    return found


def _rows(
    cursor: duckdb.DuckDBPyConnection, table: str, windows: list[Window] | None, pin: int
) -> list[tuple[int, int]]:
    conditions = ["batch_id <= $pin"]
    if windows is not None and SIGNALS[table].timed:
        conditions.append(f"({' OR '.join(within(window) for window in united(windows))})")
    sql = (
        f"SELECT batch_id, count(*) FROM raw.{table}"  # noqa: S608 - a known name, own conditions
        f" WHERE {' AND '.join(conditions)} GROUP BY batch_id"
    )
    return [(int(row[0]), int(row[1])) for row in cursor.execute(sql, {"pin": pin}).fetchall()]


def _told(
    cursor: duckdb.DuckDBPyConnection, contributed: Mapping[int, Mapping[str, int]]
) -> dict[str, Any]:
    found = batches.numbered(cursor, list(contributed))
    sources: dict[tuple[str, ...], dict[str, Any]] = {}
    for batch in found:
        batch["contributed"] = contributed[batch["batch_id"]]
        named = {name: batch[name] for name in ("name", "format", "adapter_version")}
        source = sources.setdefault(
            tuple(str(value) for value in named.values()),
            {**named, "batches": 0, "contributed": 0, "committed": [batch["committed_at"]] * 2},
        )
        source["batches"] += 1
        source["contributed"] += sum(batch["contributed"].values())
        source["committed"][0] = batch["committed_at"]  # the newest come first
    return {
        "batches": found[:MOST_BATCHES],
        "batches_total": len(found),
        "sources": sorted(sources.values(), key=lambda each: -each["contributed"]),
    }
