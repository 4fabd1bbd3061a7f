"""Prometheus remote write 1.0 and 2.0."""

from __future__ import annotations

import struct

import cramjam
import pytest

from tests.support.payloads import MS, V2, decode, reasons, rows, snappy, written, written_2
from tests.support.store import Store
from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.adapters import remote_write

FORMAT = "prometheus-remote-write"
SERIES = {"__name__": "http_requests_total", "job": "cart", "instance": "h1", "code": "500"}
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


def test_samples_become_rows() -> None:
    body = snappy(written((SERIES, [(3, MS), (5, MS + 15_000)]), ({"__name__": "up"}, [(1, MS)])))
    first, second, third = rows(decode(FORMAT, body), "metrics")
    assert first == {
        "time_ns": MS * 1_000_000, "name": "http_requests_total", "kind": "sum", "value": 3.0,
        "temporality": "cumulative", "monotonic": True, "service": "cart", "host": "h1",
        "attributes": {"code": "500", "instance": "h1", "job": "cart"}, "resource": {},
        "bucket_counts": [], "explicit_bounds": [],
    }  # fmt: skip
    assert (second["value"], second["time_ns"]) == (5.0, (MS + 15_000) * 1_000_000)
    assert (third["name"], third["kind"], third["attributes"]) == ("up", "gauge", {})


def test_both_versions_give_the_same_rows() -> None:
    series = ((SERIES, [(3.0, MS)]), ({"__name__": "up", "pod": "p"}, [(1.0, MS)]))
    first = decode(FORMAT, snappy(written(*series)), content_type="application/x-protobuf")
    second = decode(FORMAT, snappy(written_2(*series)), **V2)
    assert rows(first, "metrics") == rows(second, "metrics")
    assert rows(decode(FORMAT, snappy(written_2(*series))), "metrics") == rows(first, "metrics")


def test_what_metadata_says_wins_over_the_name() -> None:
    message = written_2(({"__name__": "errors"}, [(3, MS)]), ({"__name__": "a_total"}, [(3, MS)]))
    message.symbols.append(b"bytes")
    counter, gauge = message.timeseries
    counter.metadata.type, counter.metadata.unit_ref = 1, len(message.symbols) - 1
    counter.created_timestamp, gauge.metadata.type = MS - 5, 2
    counter_row, gauge_row = rows(decode(FORMAT, snappy(message), **V2), "metrics")
    assert (counter_row["kind"], counter_row["unit"]) == ("sum", "bytes")
    assert counter_row["start_time"].timestamp() * 1000 == pytest.approx(MS - 5)
    assert gauge_row["kind"] == "gauge"

    message = written(({"__name__": "errors_count"}, [(3, MS)]))
    message.metadata.add(type=1, metric_family_name=b"errors", unit=b"1")
    (row,) = rows(decode(FORMAT, snappy(message)), "metrics")
    assert (row["kind"], row["unit"]) == ("sum", "1")


def test_the_end_of_a_series_is_a_row_without_a_value() -> None:
    body = snappy(written(({"__name__": "up"}, [(1, MS), (STALE, MS + 1), (float("nan"), MS + 2)])))
    values = [row.get("value") for row in rows(decode(FORMAT, body), "metrics")]
    assert values[:2] == [1.0, None]
    assert values[2] != values[2]


def test_a_native_histogram() -> None:
    message = written(({"__name__": "took"}, []))
    made = message.timeseries[0].histograms.add(
        count_int=12, sum=18.4, schema=0, zero_count_int=2, timestamp=MS
    )
    for offset, length in ((0, 2), (1, 2)):
        made.positive_spans.add(offset=offset, length=length)
    made.positive_deltas.extend([1, 1, -1, 0])
    made.negative_spans.add(offset=0, length=2)
    made.negative_deltas.extend([2, 1])
    (row,) = rows(decode(FORMAT, snappy(message)), "metrics")
    assert (row["kind"], row["count"], row["sum"]) == ("exponential_histogram", 12, 18.4)
    assert row["explicit_bounds"] == [-2, -1, -0.5, 0.5, 1, 2, 4, 8, 16]
    assert row["bucket_counts"] == [0, 3, 2, 2, 1, 2, 0, 1, 1, 0]


def test_a_histogram_with_bounds_of_its_own() -> None:
    message = written_2(({"__name__": "took"}, []))
    made = message.timeseries[0].histograms.add(
        count_float=6.0, sum=1, schema=-53, timestamp=MS, custom_values=[0.1, 1, 5]
    )
    made.positive_spans.add(offset=1, length=3)
    made.positive_counts.extend([1.0, 2.0, 3.0])
    (row,) = rows(decode(FORMAT, snappy(message), **V2), "metrics")
    assert (row["kind"], row["count"]) == ("histogram", 6)
    assert (row["explicit_bounds"], row["bucket_counts"]) == ([0.1, 1.0, 5.0], [0, 1, 2, 3])


def test_a_bad_series_costs_itself_only() -> None:
    message = written(
        ({"job": "x"}, [(1, MS)]), ({"__name__": "up"}, [(1, 0), (2, MS)]), ({"__name__": "h"}, [])
    )
    made = message.timeseries[2].histograms.add(timestamp=MS, schema=3)
    made.positive_spans.add(offset=0, length=4_000_000_000)
    made = message.timeseries[2].histograms.add(timestamp=MS, schema=-2000)
    made.positive_spans.add(offset=5, length=1)
    made.positive_deltas.append(1)
    parsed = decode(FORMAT, snappy(message))
    assert [row["value"] for row in rows(parsed, "metrics")] == [2.0]
    assert reasons(parsed) == [
        (1, "the series has no name"),
        (2, "no time"),
        (3, "its spans and its buckets differ in number"),
        (3, "buckets of scale -2000 have no bounds"),
    ]


def test_a_symbol_that_is_not_there_costs_its_series_only() -> None:
    message = written_2(({"__name__": "up"}, [(1, MS)]), ({"__name__": "down"}, [(1, MS)]))
    message.timeseries[0].labels_refs.extend([1, 99])
    odd = message.timeseries.add(labels_refs=[1])
    odd.samples.add(value=1, timestamp=MS)
    parsed = decode(FORMAT, snappy(message), **V2)
    assert [row["name"] for row in rows(parsed, "metrics")] == ["down"]
    assert reasons(parsed) == [
        (1, "a label refers to a symbol that is not there"),
        (3, "a label has no value"),
    ]


def test_a_label_that_is_not_utf8_costs_nothing() -> None:
    message = written(({"__name__": "up", "job": "cart"}, [(1, MS)]))
    message.timeseries[0].labels[1].value = b"ca\xfft"
    (row,) = rows(decode(FORMAT, snappy(message)), "metrics")
    assert row["service"] == "ca\ufffdt"


@pytest.mark.parametrize(
    "body",
    [b"", b"up 1", b"\xff" * 20, bytes(cramjam.snappy.compress_raw(b"\x0a\xff\xff"))],
)
def test_what_is_no_request_is_one_error(body: bytes) -> None:
    for headers in ({}, V2):
        with pytest.raises(BadInput) as caught:
            decode(FORMAT, body, **headers)
        assert caught.value.hint
        assert "\n" not in caught.value.message


def test_only_metadata_is_no_error() -> None:
    message = remote_write._V1()
    message.metadata.add(type=1, metric_family_name=b"up")
    parsed = decode(FORMAT, snappy(message), content_type="application/x-protobuf")
    assert (parsed.tables, parsed.rejects) == ({}, ())


def test_a_sample_sent_again_adds_nothing(store: Store, tmp_path) -> None:
    for number, samples in enumerate(([(1, MS)], [(1, MS), (2, MS + 1)], [(7, MS)])):
        (tmp_path / f"{number}").write_bytes(snappy(written((SERIES, samples))))
    reports = [store.ingest(tmp_path / str(n), format=FORMAT) for n in range(3)]
    assert [(report.rows, report.duplicates) for report in reports] == [
        ({"metrics": 1}, 0),
        ({"metrics": 1}, 1),
        ({}, 1),
    ]
