"""Arrow records as DuckDB's SQL reads them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tests.support.store import Store, open_store
from workspace_ext.telemetry.ingest.columns import arrow_schema
from workspace_ext.telemetry.ingest.live.merge import ROW_GROUP_ROWS
from workspace_ext.telemetry.ingest.offering import offered
from workspace_ext.telemetry.ingest.rows import Rows
from workspace_ext.telemetry.schema import SIGNALS


@pytest.mark.parametrize("count", [0, 1, 3, ROW_GROUP_ROWS])
def test_as_they_are_and_in_order(store: Store, count: int) -> None:
    """Maps, maps within lists, and what stands beside them stay together."""
    numbers = range(count)
    event = pa.struct([("attributes", pa.map_(pa.string(), pa.string()))])
    maps = [None, [], [("a", None), ("b", "é\n")], [("n", "0")]]
    records = pa.table(
        {
            "number": pa.array(numbers, pa.int64()),
            "attributes": pa.array(
                [maps[n % 4] if n % 4 < 3 else [("n", str(n))] for n in numbers],
                pa.map_(pa.string(), pa.string()),
            ),
            "quantiles": pa.array(
                [[(0.5, float(n))] if n % 3 else None for n in numbers],
                pa.map_(pa.float64(), pa.float64()),
            ),
            "events": pa.array(
                [[{"attributes": [("k", str(n))]}] if n % 5 else [] for n in numbers],
                pa.list_(event),
            ),
        }
    )
    with store.engine.cursor() as cursor, offered(cursor, records) as source:
        found = cursor.execute(f"SELECT number, attributes, quantiles, events FROM {source}")
        assert found.to_arrow_table().cast(records.schema) == records
        assert list(store.folder.spill.iterdir())
    assert not list(store.folder.spill.iterdir())


@pytest.mark.parametrize("signal", SIGNALS)
def test_every_signal(store: Store, signal: str) -> None:
    names = ", ".join(SIGNALS[signal].names)
    records = arrow_schema(signal).empty_table()
    with store.engine.cursor() as cursor, offered(cursor, records) as source:
        assert cursor.execute(f"SELECT {names} FROM {source}").fetchall() == []


def test_a_slice(store: Store) -> None:
    """What is read is the part, not the memory that it lies in."""
    rows = Rows()
    for number in range(6):
        row = {"time_ns": number, "trace_id": f"{number:032x}", "span_id": f"{number:016x}"}
        rows.add("spans", number, {**row, "attributes": [("n", str(number))]})
    records = rows.hand_on().tables["spans"].slice(2, 3)
    with store.engine.cursor() as cursor, offered(cursor, records) as source:
        found = cursor.execute(f"SELECT time_ns, attributes['n'] FROM {source}").fetchall()
    assert found == [(2, "2"), (3, "3"), (4, "4")]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    with open_store(tmp_path / "s") as store:
        left = store.folder.spill / "maps-left"
        left.mkdir()
        (left / "maps.parquet").write_bytes(b"half a file")
        (store.folder.spill / "alone").write_bytes(b"")
    with open_store(tmp_path / "s") as store:
        assert not list(store.folder.spill.iterdir())
