from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.places import shared_data
from tests.support.store import INCIDENT, Store
from workspace_ext.foundation.errors import BadInput

SPANS = """
signal: spans
fields:
  time: start
  end_time: end
  trace_id: trace
  span_id: span
  kind: kind
  status: status
"""
AT = datetime(2024, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "start": AT,
    "end": AT.replace(second=7),
    "trace": "AB",
    "span": "1",
    "kind": "SERVER",
    "status": "error",
}


@pytest.fixture
def ingest(store: Store, tmp_path: Path):
    def ingest(rows: list[dict[str, Any]], mapping: str = SPANS, schema: pa.Schema | None = None):
        path = tmp_path / "spans.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
        return store.ingest(path, mapping=mapping)

    return ingest


def test_native_types_need_no_unit(store: Store, ingest) -> None:
    ingest([GOOD])
    assert store.rows(
        "SELECT time_ns, duration_ns, trace_id, kind, status, attributes, span_events FROM spans"
    ) == [(1704164645123456000, 2_000_000_000, "ab", "server", "error", {}, [])]


def test_local_timestamps_take_a_zone(store: Store, ingest) -> None:
    mapping = SPANS.replace("time: start", "time: {column: start, time_zone: Asia/Shanghai}", 1)
    rows = [{**GOOD, "start": AT.replace(tzinfo=None, hour=11), "end": AT}]
    ingest(rows, mapping.replace("  end_time: end\n", ""))
    assert store.rows("SELECT time_ns FROM spans") == [(1704164645123456000,)]


def test_numbers_need_a_unit(ingest) -> None:
    with pytest.raises(BadInput, match=r"fields.time: column 'start' holds numbers") as caught:
        ingest([{**GOOD, "start": 5}])
    assert "unit: ms" in caught.value.hint


def test_a_timestamp_has_its_own_unit(ingest) -> None:
    with pytest.raises(BadInput, match="has its own unit"):
        ingest([GOOD], SPANS.replace("time: start", "time: {column: start, unit: s}", 1))


def test_choices_and_what_is_required(store: Store, ingest) -> None:
    report = ingest(
        [
            GOOD,
            {**GOOD, "kind": "magic"},
            {**GOOD, "trace": None},
            {**GOOD, "span": "2", "kind": None, "status": None},
        ]
    )
    assert (report.rows, report.quarantined) == ({"spans": 2}, 2)
    assert store.quarantine() == [
        (
            2,
            "kind: 'magic' is not one of unspecified, internal, server, client, producer, consumer",
        ),
        (3, "no trace_id"),
    ]
    assert '"kind": "magic"' in store.catalog.quarantine()[0]["record"]
    assert store.rows("SELECT kind, status FROM spans WHERE span_id = '2'") == [
        ("unspecified", "unset")
    ]


def test_lines_count_over_chunks(store: Store, ingest) -> None:
    rows = [{**GOOD, "span": str(n)} for n in range(70_000)]
    rows[68_000]["trace"] = None
    report = ingest(rows)
    assert report.rows == {"spans": 69_999}
    assert store.quarantine() == [(68_001, "no trace_id")]


def test_wide_metrics_become_rows(store: Store) -> None:
    report = store.demo("frontend")
    assert report.rows == {"metrics": 85}
    assert store.rows(
        "SELECT name, unit, kind, round(value, 2) FROM metrics"
        " WHERE time = '2023-01-30 12:01:52Z' AND name LIKE 'Lat%' ORDER BY name"
    ) == [
        ("LatencyP50", "s", "gauge", 0.09),
        ("LatencyP90", "s", "gauge", 1.65),
        ("LatencyP95", "s", "gauge", 2.32),
        ("LatencyP99", "s", "gauge", 4.32),
    ]


def test_services_and_lists(store: Store, ingest) -> None:
    mapping = "signal: services\nfields: {name: n, owner: o, depends_on: d}\nattributes: {tier: t}"
    ingest([{"n": "cart", "o": "shop", "d": "db, cache", "t": "1"}], mapping)
    assert store.rows("SELECT name, owner, depends_on, attributes FROM services") == [
        ("cart", "shop", ["db", "cache"], {"tier": "1"})
    ]
    assert store.catalog.services() == ["cart"]


def test_events(store: Store, ingest) -> None:
    mapping = "signal: events\nfields: {time: start, kind: {constant: deploy}, title: trace}"
    ingest([GOOD], mapping)
    assert store.rows("SELECT kind, title FROM events") == [("deploy", "AB")]


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1" + b"\0" * 100 + b"PAR1", b"no parquet"])
def test_a_file_that_is_no_parquet(store: Store, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.parquet").write_bytes(content)
    with pytest.raises(BadInput, match=r"x.parquet cannot be read: not Parquet"):
        store.ingest(tmp_path / "x.parquet", format="parquet", mapping=SPANS)
    assert store.catalog.pin() == 0


def test_the_whole_incident_collection(store: Store) -> None:
    """The traps that are really in the data: duplicates and a torn line."""
    for kind, expected in (("spans", (234_144, 819, 0)), ("logs", (122_225, 430, 1))):
        mapping = (INCIDENT / f"{kind}.mapping.yaml").read_text()
        path = shared_data("nezha-trainticket", f"{kind}.parquet")
        report = store.ingest(path, mapping=mapping)
        assert (report.rows[kind], report.duplicates, report.quarantined) == expected
    assert store.rows("SELECT min(time) > '2023-01-29', max(time) < '2023-01-31' FROM logs") == [
        (True, True)
    ]


@pytest.mark.parametrize("kind", [pa.string(), pa.list_(pa.string())])
def test_a_text_that_is_not_utf8_costs_its_row_only(
    store: Store, tmp_path: Path, kind: pa.DataType
) -> None:
    """Parquet's writers and readers look not at it; DuckDB ends when it meets one."""
    raw = pa.array([b"fine", b"\xff\xfe", b"too"], pa.binary())
    texts = pa.StringArray.from_buffers(3, *raw.buffers()[1:])
    column = texts if kind == pa.string() else pa.ListArray.from_arrays([0, 1, 2, 3], texts)
    path = tmp_path / "logs.parquet"
    pq.write_table(pa.table({"t": [1_700_000_000] * 3, "a": column, "n": [1, 2, 3]}), path)
    mapping = "signal: logs\nfields: {time: {column: t, unit: s}, body: a}\nattributes: [n]"
    report = store.ingest(path, mapping=mapping)
    assert report.rows == {"logs": 2}
    assert store.rows("SELECT attributes['n'] FROM logs ORDER BY 1") == [("1",), ("3",)]
    ((line, reason),) = store.quarantine()
    assert (line, reason) == (2, "not UTF-8")
