"""A payload or more of each format, to be broken by `tests.faults.fuzz`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import cramjam
import pyarrow as pa
import pyarrow.parquet as pq
from google.protobuf.message import Message
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.support import payloads
from tests.support.store import NOW_NS

_TRACE, _SPAN = bytes(range(1, 17)), bytes(range(1, 9))
_BINARY_EVENT = {
    "ce-id": "1", "ce-source": "/x", "ce-type": "deploy", "ce-specversion": "1.0",
    "content-type": "application/json",
}  # fmt: skip
_PROTOBUF = {"content-type": "application/x-protobuf"}
_LABELS = {"__name__": "up", "job": "cart"}
_NATIVE: dict[str, Any] = {
    "count_int": 4, "sum": 1.5, "schema": 1, "zero_count_int": 1, "timestamp": payloads.MS
}  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """A payload that is as it should be.

    Attributes:
        content: Bytes, a protobuf message, or what becomes JSON.
        headers: It comes with these.
        signal: It is known to hold this.
        pack: Makes what is sent of the bytes.
    """

    content: Any
    headers: dict[str, str] = field(default_factory=dict)
    signal: str = ""
    pack: Callable[[bytes], bytes] = bytes

    @property
    def plain(self) -> bytes:
        """The content as bytes, before it is packed."""
        if isinstance(self.content, Message):
            return bytes(self.content.SerializeToString())
        return (
            self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()
        )

    @property
    def body(self) -> bytes:
        """What is sent."""
        return self.pack(self.plain)


def _snappy(content: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(content))


def _framed(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def _otlp() -> list[Sample]:
    traces = TracesData()
    group = traces.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "cart"
    span = group.scope_spans.add().spans.add(trace_id=_TRACE, span_id=_SPAN, name="x", kind=2)
    span.start_time_unix_nano, span.end_time_unix_nano = NOW_NS, NOW_NS + 5
    span.attributes.add(key="k").value.array_value.values.add().int_value = 5
    span.events.add(name="e", time_unix_nano=NOW_NS)
    span.links.add(trace_id=_TRACE, span_id=_SPAN)
    metrics = MetricsData()
    scope = metrics.resource_metrics.add().scope_metrics.add()
    for kind in ("gauge", "sum", "histogram", "exponential_histogram", "summary"):
        data = getattr(scope.metrics.add(name=kind), kind)
        data.data_points.add(time_unix_nano=NOW_NS, start_time_unix_nano=NOW_NS - 5)
    scope.metrics[0].gauge.data_points[0].as_double = 0.5
    scope.metrics[3].exponential_histogram.data_points[0].positive.bucket_counts.extend([1, 2])
    logs = LogsData()
    record = logs.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=NOW_NS)
    record.body.string_value = "it broke"
    found = []
    for signal, message in (("spans", traces), ("metrics", metrics), ("logs", logs)):
        found += [Sample(message, signal=signal), Sample(message, pack=_framed)]
    return found


def _remote_write() -> list[Sample]:
    found = []
    for make, headers in ((payloads.written, {}), (payloads.written_2, payloads.V2)):
        message = make((_LABELS, [(1.0, payloads.MS)]), ({"__name__": "h"}, []))
        native = message.timeseries[1].histograms.add(**_NATIVE)
        native.positive_spans.add(offset=1, length=2)
        native.positive_deltas.extend([1, 1])
        found.append(Sample(message, dict(headers), pack=_snappy))
    return found


def _otlp_json() -> list[Sample]:
    at = {"timeUnixNano": str(NOW_NS), "attributes": [{"key": "k", "value": {"intValue": "5"}}]}
    span = {
        "traceId": _TRACE.hex(), "spanId": _SPAN.hex(), "name": "x", "kind": 2,
        "startTimeUnixNano": str(NOW_NS), "endTimeUnixNano": str(NOW_NS + 5), "status": {"code": 2},
        "events": [at], "links": [{"traceId": _TRACE.hex()}],
    }  # fmt: skip
    point = {**at, "count": "3", "scale": 1, "positive": {"offset": 1, "bucketCounts": ["3"]}}
    metric = {"name": "m", "exponentialHistogram": {"dataPoints": [point]}}
    return [
        Sample({"resourceSpans": [{"resource": {"attributes": []},
                                   "scopeSpans": [{"scope": {"name": "s"}, "spans": [span]}]}]}),
        Sample({"resourceLogs": [{"scopeLogs": [{"logRecords": [{**at, "body": {}}]}]}]}),
        Sample({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}, signal="metrics"),
    ]  # fmt: skip


def _parquet(**how: Any) -> bytes:
    table = pa.table({"t": [1_700_000_000, 1], "a": ["x", None], "b": [[1], []]})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **how)
    return bytes(sink.getvalue())


@cache
def samples() -> dict[str, list[Sample]]:
    """Payloads of each format that has a decoder of its own."""
    jaeger = {
        "data": [{
            "traceID": "a1",
            "spans": [{
                "traceID": "a1", "spanID": "b1", "operationName": "x", "processID": "p1",
                "startTime": NOW_NS // 1000, "duration": 5,
                "tags": [{"key": "span.kind", "value": "server"}, {"key": "error", "value": True}],
                "references": [{"refType": "CHILD_OF", "traceID": "a1", "spanID": "c1"}],
                "logs": [{"timestamp": NOW_NS // 1000, "fields": [{"key": "k", "value": 1}]}],
            }],
            "processes": {"p1": {"serviceName": "cart", "tags": []}},
        }]
    }  # fmt: skip
    push = payloads.pushed('{app="cart"}', (NOW_NS // 10**9, "line", {"trace_id": "ab"}))
    stream = {"stream": {"app": "cart"}, "values": [[str(NOW_NS), "line", {"k": "v"}]]}
    return {
        "otlp-proto": _otlp(),
        "prometheus-remote-write": _remote_write(),
        "loki": [
            Sample(push, _PROTOBUF, pack=_snappy),
            Sample({"streams": [stream]}),
        ],
        "otlp-json": _otlp_json(),
        "alertmanager": [Sample(payloads.WEBHOOK)],
        "cloudevents": [
            Sample(payloads.CLOUD_EVENT),
            Sample([payloads.CLOUD_EVENT] * 2),
            Sample({"service": "cart"}, _BINARY_EVENT),
        ],
        "jaeger": [Sample(jaeger)],
        "zipkin": [Sample([*payloads.ZIPKIN, {**payloads.ZIPKIN[0], "shared": True}])],
        "elastic-bulk": [Sample(payloads.BULK.encode())],
        "syslog": [Sample(payloads.SYSLOG.encode()), Sample(b"9 <14>1 - - - - - - 20 <14>1 -")],
        "backstage": [Sample(payloads.CATALOG.encode())],
        "prometheus": [
            Sample(
                b"# TYPE a counter\na_total{b=\"c\"} 5 1395066363000\n# TYPE h histogram\n"
                b'h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 3\nh_sum 4\nh_count 3\n'
            )
        ],
        "csv": [Sample(b'"t","a","b"\n' + b'1700000000,"some ""text""\nhere",ERROR\n' * 3)],
        "jsonl": [Sample(b'{"t": 1700000000, "a": "x", "b": {"c": [1]}}\n' * 3)],
        "parquet": [Sample(_parquet()), Sample(_parquet(compression="zstd"))],
    }  # fmt: skip
