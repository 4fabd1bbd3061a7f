from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.support.places import shared_data
from tests.support.store import INCIDENT, NOW_NS, Store
from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.telemetry.ingest.service import detect

MAPPING = (INCIDENT / "spans.mapping.yaml").read_text()
PROM = 'up{{job="cart-{}"}} 1 1395066363000\n'


def test_the_demo_incident(store: Store) -> None:
    reports = [store.demo(name) for name in ("spans", "logs", "metrics", "frontend")]
    assert [(r.batch_id, r.rows, r.duplicates, r.quarantined) for r in reports] == [
        (1, {"spans": 15861}, 33, 0),
        (2, {"logs": 8353}, 12, 0),
        (3, {"metrics": 14405}, 0, 0),
        (4, {"metrics": 85}, 0, 0),
    ]
    for table in ("spans", "logs", "metrics"):
        assert store.rows(f"SELECT count(*) FROM {table} WHERE service IS NULL") == [(0,)]
    assert store.rows("SELECT severity, count(*) FROM logs GROUP BY 1 ORDER BY 1") == [
        ("ERROR", 70),
        ("INFO", 7970),
        ("WARN", 313),
    ]
    assert store.rows("SELECT count(*) FROM logs ANTI JOIN spans USING (trace_id, span_id)") == [
        (0,)
    ]


def test_the_batch_tells_how_it_was_read(store: Store, tmp_path: Path) -> None:
    labels = ",".join(f'l{number}="x"' for number in range(600))
    (tmp_path / "a.prom").write_text(f"up{{{labels}}} 1 1395066363000\n")
    store.ingest(tmp_path / "a.prom")
    (batch,) = store.catalog.batches()
    assert batch["adapter_version"] == "1"
    assert batch["received_at"] == batch["committed_at"]
    assert batch["warnings"] == ["attributes: 1 records had more than 512: the rest was left out"]


def test_rows_of_a_batch_lie_sorted_by_time(store: Store) -> None:
    store.demo("spans")
    times = [row[0] for row in store.rows("SELECT time_ns FROM spans")]
    assert times == sorted(times)


def test_the_same_content_twice_adds_nothing(store: Store, tmp_path: Path) -> None:
    first = store.demo("frontend")
    again = store.demo("frontend")
    assert (first.already, again.already) == (False, True)
    assert (again.batch_id, again.rows, again.digest) == (1, {"metrics": 85}, first.digest)
    assert again.to_dict() == {**first.to_dict(), "already": True}
    assert store.catalog.pin() == 1


def test_another_name_is_the_same_content(store: Store, tmp_path: Path) -> None:
    store.ingest(INCIDENT / "spans.parquet", mapping=MAPPING)
    report = store.ingest(INCIDENT / "spans.parquet", name="copy.parquet", mapping=MAPPING)
    assert (report.name, report.already) == ("copy.parquet", True)


def test_overlapping_files_add_only_what_is_new(store: Store, tmp_path: Path) -> None:
    for number, values in enumerate(([1, 2, 3], [2, 3, 4], [4, 3])):
        (tmp_path / f"{number}.prom").write_text("".join(PROM.format(v) for v in values))
    reports = [store.ingest(tmp_path / f"{number}.prom") for number in range(3)]
    assert [(r.rows.get("metrics", 0), r.duplicates) for r in reports] == [(3, 0), (1, 2), (0, 2)]
    assert reports[2].batch_id == 3
    assert store.rows("SELECT batch_id, count(*) FROM metrics GROUP BY 1 ORDER BY 1") == [
        (1, 3),
        (2, 1),
    ]


def test_each_service_of_a_file_is_counted(store: Store, tmp_path: Path) -> None:
    for number, values in enumerate(([1, 2, 3], [3, 4])):
        (tmp_path / f"{number}.prom").write_text("".join(PROM.format(v) for v in values))
        store.ingest(tmp_path / f"{number}.prom")
    store.demo("spans")
    columns = "batch_id, service, rows, duplicates, late, ahead"
    per = store.rows(f"SELECT {columns} FROM raw.batch_services WHERE batch_id < 3 ORDER BY 1, 2")
    assert per == [
        *((1, f"cart-{value}", 1, 0, None, None) for value in (1, 2, 3)),
        (2, "cart-3", 0, 1, None, None),
        (2, "cart-4", 1, 0, None, None),
    ]
    totals = "sum(rows)::BIGINT, sum(duplicates)::BIGINT, min(first_time), max(last_time)"
    assert store.rows(f"SELECT {totals} FROM raw.batch_services WHERE batch_id = 3") == store.rows(
        "SELECT spans, duplicates, first_time, last_time FROM raw.batches WHERE batch_id = 3"
    )
    assert store.rows("SELECT sum(spans) FROM raw.batches") == [(15861,)]


def test_the_pin_hides_what_came_later(store: Store) -> None:
    store.demo("frontend")
    store.demo("metrics")
    with store.engine.cursor() as cursor:
        cursor.execute("SET VARIABLE pin = 1")
        assert cursor.execute("SELECT count(*) FROM metrics").fetchall() == [(85,)]


def test_progress_reaches_the_end(store: Store) -> None:
    told: list[tuple[int, int | None]] = []
    store.ingest(
        INCIDENT / "spans.parquet",
        mapping=MAPPING,
        progress=lambda done, total: told.append((done, total)),
    )
    size = (INCIDENT / "spans.parquet").stat().st_size
    assert told[-1] == (size, size)
    assert told == sorted(told)


def test_stopping_leaves_nothing(store: Store) -> None:
    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.ingest(INCIDENT / "spans.parquet", mapping=MAPPING, progress=stop)
    assert store.catalog.pin() == 0
    assert store.rows("SELECT count(*) FROM spans") == [(0,)]
    assert store.demo("spans").batch_id == 1


def test_two_at_once_are_two_batches(store: Store) -> None:
    names = ["frontend", "metrics", "logs", "frontend"]
    reports = []
    threads = [
        threading.Thread(target=lambda name=name: reports.append(store.demo(name)))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.batch_id for report in reports if not report.already) == [1, 2, 3]
    assert sum(report.already for report in reports) == 1


def test_what_cannot_be_read_is_counted_not_kept_without_end(store: Store, tmp_path: Path) -> None:
    (tmp_path / "x.prom").write_text("rubbish\n" * 10_050)
    report = store.ingest(tmp_path / "x.prom", format="prometheus")
    assert (report.quarantined, report.rows) == (10_050, {})
    assert report.warnings == ("only the first 10000 rejected records were kept",)
    again = store.ingest(tmp_path / "x.prom", format="prometheus")
    assert (again.already, again.warnings) == (True, report.warnings)
    assert len(store.catalog.quarantine(20_000)) == 10_000


def test_the_catalog(store: Store) -> None:
    assert store.catalog.overview()["signals"]["spans"] == {
        "rows": 0,
        "first_time": None,
        "last_time": None,
    }
    store.demo("frontend")
    overview = store.catalog.overview()
    assert (overview["pin"], overview["services"]) == (1, ["Frontend"])
    assert overview["signals"]["metrics"] == {
        "rows": 85,
        "first_time": "2023-01-30T11:39:52Z",
        "last_time": "2023-01-30T12:01:52Z",
    }
    (batch,) = store.catalog.batches()
    assert batch["name"] == "frontend.parquet"
    assert batch["rows"] == {"metrics": 85}
    assert batch["committed_at"] == "2023-11-14T22:13:20Z"
    assert NOW_NS == 1_700_000_000_000_000_000
    assert store.catalog.services() == ["Frontend"]
    assert store.catalog.columns()["spans"][0] == {"name": "time", "type": "TIMESTAMPTZ"}


@pytest.mark.parametrize(
    ("path", "options", "error", "message"),
    [
        ("missing.json", {}, NotFound, "no file missing.json"),
        (".", {}, BadInput, "is a folder"),
        ("empty.json", {}, BadInput, "empty.json is empty"),
        ("text.txt", {}, BadInput, "no format that is known"),
        ("text.txt", {"format": "xml"}, BadInput, "'xml' is not a format"),
        ("text.txt", {"format": "csv"}, BadInput, "has no mapping"),
        ("up.prom", {"mapping": MAPPING}, BadInput, "takes no mapping"),
        ("text.txt", {"format": "csv", "mapping": "signal: x"}, BadInput, "mapping of text.txt"),
        ("torn.json.gz", {"format": "otlp-json"}, BadInput, "cannot be read"),
        ("torn.json.gz", {"format": "otlp-proto"}, BadInput, "cannot be read"),
        ("torn.json.gz", {"format": "prometheus"}, BadInput, "cannot be read"),
        ("torn.json.gz", {"format": "csv", "mapping": MAPPING}, BadInput, "cannot be read"),
    ],
)
def test_bad_input(store: Store, tmp_path: Path, path, options, error, message) -> None:
    (tmp_path / "empty.json").touch()
    (tmp_path / "text.txt").write_text("Dear diary,\nnothing happened.\n")
    (tmp_path / "up.prom").write_text("up 1\n")
    (tmp_path / "torn.json.gz").write_bytes(b"\x1f\x8b\x08\x00" + b"\xff" * 40)
    with pytest.raises(error, match=message) as caught:
        store.ingest(tmp_path / path, **options)
    assert caught.value.hint
    assert "\n" not in caught.value.message
    assert store.catalog.pin() == 0


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a", b'{"resourceSpans":[]}', "otlp-json"),
        ("a", b'  {\n "resourceLogs": []}', "otlp-json"),
        ("a.jsonl", b'{"x":1}\n', "jsonl"),
        ("a", b"PAR1xx", "parquet"),
        ("a.csv", b"a;b\n1;2\n", "csv"),
        ("a.csv.gz", b"a;b\n1;2\n", "csv"),
        ("a", b"# TYPE up gauge\nup 1\n", "prometheus"),
        ("a.txt", b'up{job="x y"} 1e3 12345\n', "prometheus"),
        ("a", b"\x00\x00\x00\x09\n\x07\x12\x05\n\x03abc", "otlp-proto"),
        ("a", b"\n\x07\x12\x05\n\x03abc", "otlp-proto"),
    ],
)
def test_formats_are_found_out(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    (tmp_path / "file").write_bytes(content)
    assert detect(tmp_path / "file", name) == expected


@pytest.mark.parametrize("name", ["ui_01.json", "otlp2jaeger-out.json"])
def test_jaeger_is_not_taken_for_otlp(name: str) -> None:
    assert detect(shared_data("payloads", "jaeger-fixtures", name), name) == "jaeger"


def test_a_sample_of_a_series_at_a_time_is_kept_once(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.prom").write_text("up 1 1395066363000\nup 0 1395066363000\nup 0 1395066364000\n")
    report = store.ingest(tmp_path / "a.prom")
    assert (report.rows, report.duplicates) == ({"metrics": 2}, 1)
    assert store.rows("SELECT value FROM metrics ORDER BY time") == [(1.0,), (0.0,)]
