"""A file is taken while live data comes in: neither waits for the other, and nothing is doubled."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import duckdb

from tests.support.live import START_NS, done, sent
from tests.support.store import open_store
from tests.support.waiting import until
from workspace_ext.telemetry.ingest.live.service import LiveIngest, LiveLimits

MAPPING = """
signal: spans
fields: {time: {column: t, unit: ns}, trace_id: trace, span_id: span, name: name, service: service}
"""


def spans_file(path: Path, first: int, count: int) -> None:
    """The same spans as `delivery` makes, as far as their identity goes."""
    duckdb.sql(
        f"COPY (SELECT {START_NS} + i * 1000 AS t, printf('%032x', i + 1) AS trace,"
        " printf('%016x', i + 1) AS span, 'GET /' AS name, 'cart' AS service"
        f" FROM range({first}, {first + count}) r(i)) TO '{path}'"
    )


def test_live_data_is_merged_while_a_file_is_read(tmp_path: Path) -> None:
    spans_file(tmp_path / "spans.parquet", 0, 1000)
    reading, go_on = threading.Event(), threading.Event()
    reports = []

    def progress(_done: int, _total: int | None) -> None:
        reading.set()
        assert go_on.wait(60)

    with open_store(tmp_path / "store") as store:
        live = LiveIngest(store.engine, limits=LiveLimits(merge_seconds=0.01))

        def take() -> None:
            report = store.ingest(tmp_path / "spans.parquet", mapping=MAPPING, progress=progress)
            reports.append(report)

        taking = threading.Thread(target=take)
        taking.start()
        assert reading.wait(60)
        done([live.accept(*sent(500, 1000))])
        merged = live.flush(60)
        go_on.set()
        taking.join(60)
        live.close()
        assert merged
        (report,) = reports
        assert (report.rows, report.duplicates, report.batch_id) == ({"spans": 500}, 500, 2)
        assert store.rows("SELECT count(*), count(DISTINCT span_id) FROM spans") == [(1500, 1500)]
        assert store.rows("SELECT batch_id, count(*) FROM spans GROUP BY 1 ORDER BY 1") == [
            (1, 1000),
            (2, 500),
        ]


def test_the_same_file_twice_at_once_is_taken_once(tmp_path: Path) -> None:
    spans_file(tmp_path / "spans.parquet", 0, 1000)
    both_read = threading.Barrier(2, timeout=60)
    waited: set[int] = set()
    reports = []

    def progress(_done: int, _total: int | None) -> None:
        if threading.get_ident() not in waited:
            waited.add(threading.get_ident())
            both_read.wait()

    with open_store(tmp_path / "store") as store:

        def take() -> None:
            report = store.ingest(tmp_path / "spans.parquet", mapping=MAPPING, progress=progress)
            reports.append(report)

        threads = [threading.Thread(target=take) for _ in range(2)]
        for thread in threads:
            thread.start()
        until(lambda: len(reports) == 2, "both files are taken")
        assert sorted(report.already for report in reports) == [False, True]
        assert {report.batch_id for report in reports} == {1}
        assert store.rows("SELECT count(*) FROM spans") == [(1000,)]


def test_a_file_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    spans_file(tmp_path / "spans.parquet", 0, 1000)

    class Gone(Exception):
        pass

    def progress(_done: int, _total: int | None) -> None:
        raise Gone

    with open_store(tmp_path / "store") as store:
        for _ in range(2):
            with contextlib.suppress(Gone):
                store.ingest(tmp_path / "spans.parquet", mapping=MAPPING, progress=progress)
        assert store.catalog.pin() == 0
        assert store.ingest(tmp_path / "spans.parquet", mapping=MAPPING).rows == {"spans": 1000}
