"""OTLP as JSON and as protobuf: the same telemetry in both forms gives the same rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.support.places import shared_data
from tests.support.store import Store

TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
START = 1_500_000_000_000_000_000
GOOD: dict[str, Any] = {
    "traceId": TRACE.upper(),
    "spanId": SPAN.upper(),
    "name": "GET /",
    "kind": 2,
    "startTimeUnixNano": "1544712660000000001",
    "endTimeUnixNano": "1544712661000000001",
    "attributes": [
        {"key": "z", "value": {"intValue": "7"}},
        {"key": "a", "value": {"boolValue": True}},
        {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "x"}, {}]}}},
        {
            "key": "map",
            "value": {"kvlistValue": {"values": [{"key": "k", "value": {"doubleValue": 1}}]}},
        },
    ],
    "status": {"code": "STATUS_CODE_ERROR", "message": "boom"},
    "events": [{"timeUnixNano": "1544712660500000000", "name": "exception"}],
    "links": [{"traceId": TRACE, "spanId": SPAN}],
}
RESOURCE = {
    "attributes": [
        {"key": name, "value": {"stringValue": value}}
        for name, value in {
            "service.name": "cart",
            "deployment.environment": "prod",
            "service.version": "2.3",
            "k8s.namespace.name": "shop",
            "k8s.pod.name": "cart-1",
            "k8s.node.name": "node-1",
            "cloud.region": "eu",
        }.items()
    ]
}


def spans(*given: dict[str, Any]) -> str:
    scope = {"scope": {"name": "lib"}, "spans": list(given)}
    return json.dumps({"resourceSpans": [{"resource": RESOURCE, "scopeSpans": [scope]}]})


@pytest.fixture
def ingest(store: Store, tmp_path: Path):
    def ingest(content: str | bytes, name: str = "data.jsonl", **options: Any):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return store.ingest(path, **options)

    return ingest


def test_a_span_with_everything(store: Store, ingest) -> None:
    assert ingest(spans(GOOD)).format == "otlp-json"
    (row,) = store.rows(
        "SELECT time_ns, duration_ns, trace_id, span_id, parent_span_id, kind, status,"
        " status_message, service, environment, version, namespace, pod, host, region, scope,"
        " attributes, resource['service.name'], span_events[1].name, links[1].span_id FROM spans"
    )
    assert row == (
        1544712660000000001, 1000000000, TRACE, SPAN, None, "server", "error", "boom",
        "cart", "prod", "2.3", "shop", "cart-1", "node-1", "eu", "lib",
        {"a": "true", "list": '["x",null]', "map": '{"k":1.0}', "z": "7"},
        "cart", "exception", SPAN,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"traceId": "abc"}, "trace id 'abc' is not 32 hexadecimal digits"),
        ({"traceId": "0" * 32}, f"trace id '{'0' * 32}' is not 32 hexadecimal digits"),
        ({"spanId": ""}, "span id '' is not 16 hexadecimal digits"),
        ({"startTimeUnixNano": "0"}, "no time"),
        ({"startTimeUnixNano": "soon"}, "startTimeUnixNano: 'soon' is not a whole number"),
        (
            {"startTimeUnixNano": str(1 << 64)},
            f"time {1 << 64} is out of range: not between 1980 and 2100",
        ),
        ({"endTimeUnixNano": "5"}, "the span ends before it starts"),
        ({"attributes": [5]}, "not as OTLP has it: 'int' object has no attribute 'get'"),
        ({"events": {}, "links": 5}, "links is not a list"),
    ],
)
def test_a_bad_span_costs_itself_only(
    store: Store, ingest, change: dict[str, Any], reason: str
) -> None:
    other = {**GOOD, "spanId": "eee19b7ec3c1b175"}
    report = ingest(spans(other) + "\n" + spans({**GOOD, **change}, GOOD))
    assert (report.rows, report.quarantined) == ({"spans": 2}, 1)
    assert store.quarantine() == [(2, reason)]


def test_torn_and_foreign_lines(store: Store, ingest) -> None:
    report = ingest(spans(GOOD) + '\n{"resourceSp\n\n{"a": 1}\n[]\n{"resourceLogs": 5}\n')
    assert (report.rows, report.quarantined) == ({"spans": 1}, 4)
    reasons = store.quarantine()
    assert [line for line, _ in reasons] == [2, 4, 5, 6]
    assert reasons[0][1].startswith("not valid JSON")
    assert reasons[1][1] == "none of resourceSpans, resourceLogs, resourceMetrics in it"
    assert reasons[3][1] == "resourceLogs is not a list"


def test_a_torn_first_line(store: Store, ingest) -> None:
    content = spans(GOOD)
    report = ingest(content[:-9] + "\n" + content + "\n" + spans({**GOOD, "spanId": "1" * 16}))
    assert (report.rows, report.quarantined) == ({"spans": 2}, 1)
    assert store.quarantine()[0][0] == 1


def test_logs_take_what_time_and_severity_they_have(store: Store, ingest) -> None:
    records = [
        {
            "observedTimeUnixNano": "2000000000000000000",
            "severityNumber": 10,
            "body": {"intValue": 5},
        },
        {"timeUnixNano": 1000000000000000000, "severityNumber": "SEVERITY_NUMBER_WARN2"},
        {"timeUnixNano": "3000000000000000000", "severityText": "Warning", "traceId": TRACE},
        {"body": {"stringValue": "no time"}},
    ]
    ingest(json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}))
    assert store.rows(
        "SELECT time_ns, severity_number, severity, body, trace_id FROM logs ORDER BY time_ns"
    ) == [
        (1000000000000000000, 14, "WARN", None, None),
        (2000000000000000000, 10, "INFO", "5", None),
        (3000000000000000000, 13, "Warning", None, TRACE),
    ]
    assert store.quarantine() == [(1, "no time")]


def test_metrics_of_each_kind(store: Store, ingest) -> None:
    at = {"timeUnixNano": "1500000000000000000", "startTimeUnixNano": "1000000000000000000"}
    exponential = {
        **at, "count": "9", "sum": 4.5, "scale": 0, "zeroCount": "2", "min": -4, "max": 8,
        "positive": {"offset": 1, "bucketCounts": ["3", "1"]},
        "negative": {"offset": 0, "bucketCounts": ["1", "2"]},
    }  # fmt: skip
    metrics = [
        {"name": "g", "unit": "1", "gauge": {"dataPoints": [{**at, "asInt": "3"}, {**at}]}},
        {"name": "s", "sum": {"aggregationTemporality": 2, "isMonotonic": True,
                              "dataPoints": [{**at, "asDouble": 0.5}]}},
        {"name": "h", "histogram": {"aggregationTemporality": "AGGREGATION_TEMPORALITY_DELTA",
            "dataPoints": [{**at, "count": "3", "sum": 2, "bucketCounts": ["1", "2"],
                            "explicitBounds": [1.5]}]}},
        {"name": "e", "exponentialHistogram": {"dataPoints": [exponential]}},
        {"name": "q", "summary": {"dataPoints": [
            {**at, "count": "4", "sum": 8, "quantileValues": [{"quantile": 0.5, "value": 2}]}]}},
        {"name": "none"},
    ]  # fmt: skip
    report = ingest(json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}))
    assert report.rows == {"metrics": 5}
    assert store.rows(
        "SELECT name, kind, temporality, monotonic, value, count, bucket_counts, explicit_bounds,"
        " quantiles FROM metrics ORDER BY name"
    ) == [
        ("e", "exponential_histogram", None, None, None, 9,
         [0, 2, 1, 2, 3, 1, 0], [-4.0, -2.0, -1.0, 2.0, 4.0, 8.0], None),
        ("g", "gauge", None, None, 3.0, None, [], [], None),
        ("h", "histogram", "delta", None, None, 3, [1, 2], [1.5], None),
        ("q", "summary", None, None, None, 4, [], [], {0.5: 2.0}),
        ("s", "sum", "cumulative", True, 0.5, None, [], [], None),
    ]  # fmt: skip
    assert store.quarantine() == [
        (1, "metric 'none' has no data of a known kind"),
        (1, "metric g: no value"),
    ]


def test_the_specification_s_examples(store: Store) -> None:
    rows: dict[str, int] = {}
    for name in ("trace", "logs", "metrics", "events"):
        report = store.ingest(shared_data("payloads", "otlp-spec-examples", f"{name}.json"))
        assert (report.format, report.quarantined) == ("otlp-json", 0)
        for signal, count in report.rows.items():
            rows[signal] = rows.get(signal, 0) + count
    assert rows == {"spans": 1, "logs": 2, "metrics": 4}


@pytest.mark.parametrize("day", ["trainticket-2023-01-29-09_13", "trainticket-2023-01-30-12_08"])
def test_both_forms_of_a_real_minute_are_the_same_rows(store: Store, day: str) -> None:
    folder = shared_data("payloads", "otlp-nezha", day)
    for signal in ("traces", "logs", "metrics"):
        packed = [store.ingest(path) for path in sorted(folder.glob(f"{signal}.*.otlp.pb.gz"))]
        lines = store.ingest(folder / f"{signal}.otlp.jsonl.gz")
        assert {report.format for report in packed} == {"otlp-proto"}
        assert not any(report.quarantined for report in [*packed, lines])
        assert lines.rows == {}
        assert lines.duplicates == sum(sum(report.rows.values()) for report in packed) > 0


def request(count: int = 1) -> ExportTraceServiceRequest:
    message = ExportTraceServiceRequest()
    scope = message.resource_spans.add().scope_spans.add()
    for number in range(count):
        scope.spans.add(
            trace_id=bytes.fromhex(TRACE),
            span_id=(number + 1).to_bytes(8, "big"),
            name="x",
            start_time_unix_nano=START + 5,
            end_time_unix_nano=START + 9,
        )
    return message


def framed(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(4, "big") + message for message in messages)


def test_a_file_of_the_collector(store: Store, ingest) -> None:
    metrics = MetricsData()
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    metric.gauge.data_points.add(time_unix_nano=START, as_int=3)
    first, second = request(3).SerializeToString(), metrics.SerializeToString()
    report = ingest(framed(first, b"", second), "data.pb")
    assert (report.format, report.rows) == ("otlp-proto", {"spans": 3, "metrics": 1})


def test_a_file_cut_off(store: Store, ingest) -> None:
    whole = framed(request(2).SerializeToString(), request(3).SerializeToString())
    report = ingest(whole[:-5], "data.pb")
    assert (report.rows, report.quarantined) == ({"spans": 2}, 1)
    line, reason = store.quarantine()[0]
    assert (line, reason.startswith("cut off after")) == (2, True)


def test_a_message_that_is_none(store: Store, ingest) -> None:
    report = ingest(framed(b"\n\x02\xff\xff", request().SerializeToString()), "data.pb")
    assert (report.rows, report.quarantined) == ({"spans": 1}, 1)
    assert store.quarantine() == [(1, "not a request with spans, logs or metrics")]


def test_a_bad_span_in_a_message(store: Store, ingest) -> None:
    message = request(2)
    message.resource_spans[0].scope_spans[0].spans[1].span_id = b"short"
    report = ingest(message.SerializeToString(), "request.bin")
    assert (report.format, report.rows, report.quarantined) == ("otlp-proto", {"spans": 1}, 1)
    assert store.quarantine()[0][1].startswith("span id '73686f7274' is not 16")


def test_the_same_span_in_json_and_protobuf(store: Store, ingest) -> None:
    message = TracesData()
    message.resource_spans.extend(request().resource_spans)
    plain = {**GOOD, "spanId": "0000000000000001", "startTimeUnixNano": START + 5}
    plain["endTimeUnixNano"] = START + 9
    assert ingest(message.SerializeToString(), "a.pb").rows == {"spans": 1}
    assert ingest(spans(plain)).duplicates == 1


@pytest.mark.parametrize(
    "change",
    [
        {"name": "\ud800"},
        {"attributes": [{"key": "k", "value": {"stringValue": "\udfff"}}]},
    ],
)
def test_a_value_that_fits_no_column(store: Store, ingest, change: dict[str, Any]) -> None:
    report = ingest(spans(GOOD, {**GOOD, **change, "spanId": "2" * 16}))
    assert (report.rows, report.quarantined) == ({"spans": 1}, 1)
    ((line, reason),) = store.quarantine()
    assert (line, reason.startswith("a value cannot be kept")) == (1, True)


def test_json_nested_without_end(store: Store, ingest) -> None:
    deep = '{"resourceSpans":' + "[" * 100_000
    report = ingest(spans(GOOD) + "\n" + deep + "\n")
    assert (report.rows, report.quarantined) == ({"spans": 1}, 1)
