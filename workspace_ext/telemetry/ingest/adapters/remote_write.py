"""Prometheus remote write, 1.0 and 2.0: samples and native histograms of series.

Each sample becomes a row. Classic histograms arrive as the series of their buckets and stay so,
for a request need not hold all of them. Exemplars are not kept.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import accumulate, chain, count
from typing import Any

from workspace_ext.telemetry.ingest.adapter import Adapter, Context, whole
from workspace_ext.telemetry.ingest.adapters.labels import labelled
from workspace_ext.telemetry.ingest.adapters.otlp_records import exponential_buckets
from workspace_ext.telemetry.ingest.adapters.pieces import Spine
from workspace_ext.telemetry.ingest.adapters.wire import declare, parse, text
from workspace_ext.telemetry.ingest.limits import BUCKETS
from workspace_ext.telemetry.ingest.rows import BadRecord, Pairs, Row, Rows, check_time

_SHARED = {
    "Sample": "1 value double, 2 timestamp int64",
    "BucketSpan": "1 offset sint32, 2 length uint32",
    "Histogram": (
        "1 count_int uint64, 2 count_float double, 3 sum double, 4 schema sint32,"
        " 6 zero_count_int uint64, 7 zero_count_float double,"
        " 8 negative_spans BucketSpan*, 9 negative_deltas sint64*, 10 negative_counts double*,"
        " 11 positive_spans BucketSpan*, 12 positive_deltas sint64*, 13 positive_counts double*,"
        " 14 reset_hint int32, 15 timestamp int64, 16 custom_values double*"
    ),
}
_V1 = declare(
    "prometheus",
    {
        **_SHARED,
        "WriteRequest": "1 timeseries TimeSeries*, 3 metadata MetricMetadata*",
        "TimeSeries": "1 labels Label*, 2 samples Sample*, 4 histograms Histogram*",
        "Label": "1 name bytes, 2 value bytes",
        "MetricMetadata": "1 type int32, 2 metric_family_name bytes, 5 unit bytes",
    },
)["WriteRequest"]
_V2 = declare(
    "io.prometheus.write.v2",
    {
        **_SHARED,
        "Request": "4 symbols bytes*, 5 timeseries TimeSeries*",
        "TimeSeries": (
            "1 labels_refs uint32*, 2 samples Sample*, 3 histograms Histogram*,"
            " 5 metadata Metadata, 6 created_timestamp int64"
        ),
        "Metadata": "1 type int32, 4 unit_ref uint32",
    },
)["Request"]

_SAMPLES: Spine = {"timeseries": {"samples": {}, "histograms": {}}}
_COUNTER = 1
_CUSTOM_BUCKETS = -53
_GAUGE_HINT = 3
_STALE = struct.pack("<Q", 0x7FF0000000000002)
_SUFFIXES = ("_total", "_bucket", "_count", "_sum")
_COUNTER_HEAD = {"kind": "sum", "temporality": "cumulative", "monotonic": True}


def _decode(rows: Rows, body: bytes, context: Context) -> None:
    encoding = context.headers.get("content-encoding", "").strip().lower()
    read = partial(parse, rows, spine=_SAMPLES, body=body, name=context.name, encoding=encoding)
    if "write.v2" in context.content_type:
        return _second(rows, read(_V2, what="remote write 2.0 request"))
    messages = read(_V1, what="remote write request")
    first = next(messages, _V1())
    if not first.timeseries and not first.metadata and not context.content_type:
        return _second(rows, read(_V2, what="remote write request"))
    return _first(rows, chain((first,), messages))


def _first(rows: Rows, messages: Iterable[Any]) -> None:
    numbers = count(1)
    for message in messages:
        known = {
            text(each.metric_family_name): (each.type, text(each.unit)) for each in message.metadata
        }
        for series, number in zip(message.timeseries, numbers, strict=False):
            with rows.guard(number, series_text(series.labels)):
                labels = [(text(label.name), text(label.value)) for label in series.labels]
                name, pairs = _labels(labels)
                family = next((known[stem] for stem in _stems(name) if stem in known), (0, ""))
                _series(rows, number, _head(name, *family) | labelled(pairs), series)


def _second(rows: Rows, messages: Iterable[Any]) -> None:
    numbers = count(1)
    for message in messages:
        symbols = [text(symbol) for symbol in message.symbols]
        for series, number in zip(message.timeseries, numbers, strict=False):
            with rows.guard(number, f"labels_refs {list(series.labels_refs[:64])}"):
                _series(rows, number, _head_of_refs(symbols, series), series)


def _head_of_refs(symbols: Sequence[str], series: Any) -> Row:
    refs = list(series.labels_refs)
    if len(refs) % 2:
        raise BadRecord("a label has no value")
    unit = series.metadata.unit_ref
    if max(refs, default=0) >= len(symbols) or unit >= max(len(symbols), 1):
        raise BadRecord("a label refers to a symbol that is not there")
    labels = [symbols[ref] for ref in refs]
    name, pairs = _labels(zip(labels[::2], labels[1::2], strict=True))
    head = _head(name, series.metadata.type, symbols[unit] if symbols else "") | labelled(pairs)
    if series.created_timestamp > 0:
        head["start_time"] = series.created_timestamp * 1000
    return head


def series_text(labels: Iterable[Any]) -> str:
    """A series as a user writes it."""
    return ", ".join(f"{text(label.name)}={text(label.value)}" for label in labels)


def _labels(labels: Iterable[tuple[str, str]]) -> tuple[str, Pairs]:
    given = dict(labels)
    name = given.pop("__name__", "")
    if not name:
        raise BadRecord("the series has no name")
    return name, sorted(given.items())


def _stems(name: str) -> list[str]:
    return [name, *(name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix))]


def _head(name: str, kind: int, unit: str) -> Row:
    """A series' kind: what its metadata says, else what its name does by convention."""
    row: Row = {"name": name, "unit": unit or None, "kind": "gauge"}
    counts = name.endswith(("_total", "_bucket"))
    return row | (_COUNTER_HEAD if kind == _COUNTER or (kind == 0 and counts) else {})


def _series(rows: Rows, number: int, head: Row, series: Any) -> None:
    head |= {"bucket_counts": [], "explicit_bounds": []}
    for sample in series.samples:
        with rows.guard(number, f"{head['name']} {sample.value} {sample.timestamp}"):
            time_ns = sample.timestamp * 1_000_000
            check_time(time_ns)
            value = None if struct.pack("<d", sample.value) == _STALE else sample.value
            rows.add("metrics", number, {**head, "time_ns": time_ns, "value": value})
    for histogram in series.histograms:
        with rows.guard(number, f"{head['name']} (histogram) {histogram.timestamp}"):
            time_ns = histogram.timestamp * 1_000_000
            check_time(time_ns)
            values = _histogram(histogram)
            rows.add("metrics", number, {**head, **values, "time_ns": time_ns})


def _histogram(histogram: Any) -> Row:
    count = histogram.count_int or round(histogram.count_float)
    gauge = histogram.reset_hint == _GAUGE_HINT
    row: Row = {
        "count": count,
        "sum": histogram.sum,
        "temporality": None if gauge else "cumulative",
        "monotonic": None,
    }
    first, counts = _buckets(
        histogram.positive_spans, histogram.positive_deltas, histogram.positive_counts
    )
    if histogram.schema == _CUSTOM_BUCKETS:
        bounds = list(histogram.custom_values)
        filled = [0] * first + counts
        if first < 0 or len(filled) > len(bounds) + 1:
            raise BadRecord("more buckets than bounds")
        if len(bounds) > BUCKETS:
            raise BadRecord(f"more than {BUCKETS} buckets")
        filled += [0] * (len(bounds) + 1 - len(filled))
        return row | {"kind": "histogram", "bucket_counts": filled, "explicit_bounds": bounds}
    negative = _buckets(
        histogram.negative_spans, histogram.negative_deltas, histogram.negative_counts
    )
    zero = histogram.zero_count_int or round(histogram.zero_count_float)
    # Prometheus numbers a bucket by its upper bound, OpenTelemetry by its lower one.
    buckets = exponential_buckets(
        histogram.schema, zero, (first - 1, counts), (negative[0] - 1, negative[1])
    )
    return row | {"kind": "exponential_histogram"} | buckets


def _buckets(spans: Any, deltas: Any, counts: Any) -> tuple[int, list[int]]:
    """The number of the first bucket, and all counts from there, with the gaps between spans."""
    given = list(accumulate(deltas)) if deltas else [round(count) for count in counts]
    if sum(span.length for span in spans) != len(given):
        raise BadRecord("its spans and its buckets differ in number")
    if not spans:
        return 0, []
    if any(span.offset < 0 for span in spans[1:]):
        raise BadRecord("its spans overlap")
    if sum(span.offset + span.length for span in spans[1:]) + spans[0].length > BUCKETS:
        raise BadRecord(f"more than {BUCKETS} buckets")
    filled: list[int] = []
    done = 0
    for number, span in enumerate(spans):
        filled += [0] * (span.offset if number else 0)
        filled += given[done : done + span.length]
        done += span.length
    return spans[0].offset, filled


ADAPTER = Adapter("Prometheus remote write 1.0 and 2.0", whole(_decode))
