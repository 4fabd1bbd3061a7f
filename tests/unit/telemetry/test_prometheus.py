from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.places import shared_data
from tests.support.store import NOW_NS, Store

SCRAPE = """\
# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{service="cart",pod="cart-1",code="200"} 1027 1395066363000
requests_total{service="cart",pod="cart-1",code="500"} 3 1395066363000
# TYPE took histogram
took_bucket{le="0.1"} 2
took_bucket{le="1"} 5
took_bucket{le="+Inf"} 6
took_sum 4.5
took_count 6
# TYPE size summary
size{quantile="0.5"} 10
size{quantile="0.9"} NaN
size_sum 100
size_count 7
free 0.5
"""


@pytest.fixture
def ingest(store: Store, tmp_path: Path):
    def ingest(text: str, **options: Any):
        path = tmp_path / "metrics.prom"
        path.write_text(text)
        return store.ingest(path, **options)

    return ingest


def test_each_type_becomes_its_kind(store: Store, ingest) -> None:
    report = ingest(SCRAPE)
    assert (report.format, report.rows) == ("prometheus", {"metrics": 5})
    assert report.warnings == ("10 samples have no timestamp: they got the time of this ingest",)
    assert store.rows(
        "SELECT name, kind, temporality, value, count, sum, bucket_counts, explicit_bounds"
        " FROM metrics ORDER BY name, value"
    ) == [
        ("free", "gauge", None, 0.5, None, None, [], []),
        ("requests_total", "sum", "cumulative", 3.0, None, None, [], []),
        ("requests_total", "sum", "cumulative", 1027.0, None, None, [], []),
        ("size", "summary", None, None, 7, 100.0, [], []),
        ("took", "histogram", "cumulative", None, 6, 4.5, [2, 3, 1], [0.1, 1.0]),
    ]


def test_labels_and_times(store: Store, ingest) -> None:
    ingest(SCRAPE)
    assert store.rows(
        "SELECT service, pod, attributes['code'], time_ns FROM metrics"
        " WHERE name = 'requests_total' ORDER BY value"
    ) == [
        ("cart", "cart-1", "500", 1395066363000000000),
        ("cart", "cart-1", "200", 1395066363000000000),
    ]
    assert store.rows("SELECT DISTINCT time_ns FROM metrics WHERE name = 'took'") == [(NOW_NS,)]


def test_bad_lines_cost_themselves_only(store: Store, ingest) -> None:
    bad = 'torn{label="x\nno_value\nbad_number abc\n# TYPE \x1d counter\n'
    report = ingest(SCRAPE + bad, format="prometheus")
    assert (report.rows, report.quarantined) == ({"metrics": 5}, 4)
    assert [line for line, _ in store.quarantine()] == [17, 18, 19, 20]
    assert all(reason.startswith("not a sample") for _, reason in store.quarantine())


def test_buckets_that_decrease(store: Store, ingest) -> None:
    report = ingest(SCRAPE.replace('le="1"} 5', 'le="1"} 1'))
    assert (report.rows, report.quarantined) == ({"metrics": 4}, 1)
    assert store.quarantine() == [(None, "took: the buckets' counts decrease")]


def test_a_real_scrape(store: Store) -> None:
    path = shared_data("payloads", "prometheus", "alltypes.237mfs.prom.txt.gz")
    report = store.ingest(path)
    assert (report.format, report.quarantined) == ("prometheus", 0)
    assert store.rows("SELECT count(DISTINCT name) FROM metrics") == [(237,)]
    assert store.rows(
        "SELECT count(*) FROM metrics WHERE kind = 'histogram' AND list_sum(bucket_counts) <> count"
    ) == [(0,)]


@pytest.mark.parametrize("count", ["NaN", "+Inf", "1e30"])
def test_counts_that_are_none(store: Store, ingest, count: str) -> None:
    report = ingest(SCRAPE.replace("took_count 6", f"took_count {count}"))
    assert (report.rows, report.quarantined) == ({"metrics": 4}, 1)
