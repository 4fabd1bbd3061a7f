"""Fuzzes the decoders: whatever bytes come, records and rejects, or one clear error.

``python -m tests.faults.fuzz --inputs 100000`` is the long round, over every format or those that
``--format`` names; run it with ``nice``. The tests run a short one. An input is a real payload with
some of its values replaced and its bytes changed and cut; for protobuf both before and after it is
compressed. The memory of the process is limited, and no input may take longer than two seconds.
"""

from __future__ import annotations

import argparse
import copy
import gc
import io
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import cramjam
import duckdb
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.support import payloads
from tests.support.store import NOW_NS
from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest import registry
from workspace_ext.telemetry.ingest.adapter import Context, Head
from workspace_ext.telemetry.ingest.columns import arrow_schema
from workspace_ext.telemetry.ingest.limits import bounded
from workspace_ext.telemetry.ingest.mapping import parse_mapping
from workspace_ext.telemetry.ingest.model import Parsed
from workspace_ext.telemetry.schema import SIGNALS

SECONDS = 2.0
"""No input may take longer."""

MEMORY_BYTES = 3 << 30
"""Of address space, in the long round."""

_INSERT_EVERY = 25
_MAPPING = parse_mapping(
    "signal: logs\nfields: {time: {column: t, unit: s}, body: a, severity: b}\nattributes: [a]"
)
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
        content: Bytes, or what becomes JSON.
        headers: It comes with these.
        signal: It is known to hold this.
        pack: Makes what is sent of the bytes.
    """

    content: Any
    headers: dict[str, str] = field(default_factory=dict)
    signal: str = ""
    pack: Callable[[bytes], bytes] = bytes


def _snappy(content: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(content))


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
        body = message.SerializeToString()
        found += [
            Sample(body, signal=signal),
            Sample(len(body).to_bytes(4, "big") + body),
        ]
    return found


def _remote_write() -> list[Sample]:
    found = []
    for make, headers in ((payloads.written, {}), (payloads.written_2, payloads.V2)):
        message = make((_LABELS, [(1.0, payloads.MS)]), ({"__name__": "h"}, []))
        native = message.timeseries[1].histograms.add(**_NATIVE)
        native.positive_spans.add(offset=1, length=2)
        native.positive_deltas.extend([1, 1])
        found.append(Sample(message.SerializeToString(), dict(headers), pack=_snappy))
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
            Sample(push.SerializeToString(), _PROTOBUF, pack=_snappy),
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
    }  # fmt: skip


_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 70), 1 << 70),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", "\ud800", "0" * 32, "1970-01-01T00:00:00Z", "2200-01-01T00:00:00Z",
                     "9" * 30, "1e999", "-1", "NaN", 1 << 63, -1, 1e308]),
)  # fmt: skip
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)
_where = st.floats(0, 1, exclude_max=True)
_grafts = st.lists(st.tuples(_where, _values), max_size=3)
_changes = st.lists(st.tuples(_where, st.binary(min_size=1, max_size=4), st.booleans()), max_size=4)
_cut = st.none() | _where


@st.composite
def inputs(draw: st.DrawFn, name: str) -> tuple[bytes, Sample]:
    """Bytes for a format, and the payload that they come from."""
    sample = draw(st.sampled_from(samples()[name]))
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=100)), sample
    content = sample.content
    if not isinstance(content, bytes):
        content = json.dumps(_graft(content, draw(_grafts))).encode()
        if draw(st.booleans()):
            return content, sample
    content = sample.pack(_changed(content, draw(_changes), draw(_cut)))
    if sample.pack is not bytes and draw(st.integers(0, 3)) == 0:
        content = _changed(content, draw(_changes), draw(_cut))
    return content, sample


def _changed(content: bytes, changes: list[tuple[float, bytes, bool]], cut: float | None) -> bytes:
    made = bytearray(content)
    for where, put, instead in changes:
        at = int(where * len(made))
        made[at : at + (len(put) if instead else 0)] = put
    return bytes(made if cut is None else made[: int(cut * len(made))])


def _graft(content: Any, grafts: list[tuple[float, Any]]) -> Any:
    made = [copy.deepcopy(content)]
    for where, value in grafts:
        places = list(_places(made))
        holder, key = places[int(where * len(places))]
        holder[key] = value
    return made[0]


def _places(holder: Any) -> Iterator[tuple[Any, Any]]:
    for key in range(len(holder)) if isinstance(holder, list) else list(holder):
        yield holder, key
        if isinstance(holder[key], list | dict):
            yield from _places(holder[key])


class Checker:
    """Decodes inputs, and looks at what comes of each."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._adapter = registry.find(name)
        self._mapping = _MAPPING if self._adapter.needs_mapping else None
        self._connection = duckdb.connect(":memory:", config={"threads": 1})
        for signal in SIGNALS.values():
            columns = ", ".join(f"{column} {kind}" for column, kind in signal.columns)
            self._connection.execute(f"CREATE TABLE {signal.name} ({columns})")
        self.inputs = self.refused = self.records = self.rejects = 0
        self.slowest = 0.0

    def check(self, body: bytes, sample: Sample) -> None:
        """One input.

        Raises:
            AssertionError: What came of it is not as promised.
        """
        context = Context(NOW_NS, "x", sample.headers, sample.signal, self._mapping)
        self.inputs += 1
        self._adapter.recognise(Head(body, "x.json"))
        started = time.perf_counter()
        parts: list[Parsed] = []
        refused: BadInput | None = None
        try:
            parts = [bounded(part) for part in self._adapter.read(io.BytesIO(body), context)]
        except BadInput as error:
            refused = error
        if refused is not None:
            self.refused += 1
            assert refused.hint
            assert "\n" not in refused.message
        taken = time.perf_counter() - started
        self.slowest = max(self.slowest, taken)
        assert taken < SECONDS, f"{taken:.1f} s"
        for part in parts:
            self.rejects += part.rejected
            for reject in part.rejects:
                assert reject.reason
                (reject.reason + reject.record).encode()
            for signal, records in part.tables.items():
                assert records.schema.equals(arrow_schema(signal))
                self.records += records.num_rows
                if self.inputs % _INSERT_EVERY == 0:
                    self._insert(signal, records)

    def _insert(self, signal: str, records: Any) -> None:
        self._connection.register("incoming", records)
        self._connection.execute(f"INSERT INTO {signal} SELECT * FROM incoming")
        self._connection.execute(f"SELECT * FROM {signal}").fetchall()
        self._connection.execute(f"DELETE FROM {signal}")
        self._connection.unregister("incoming")


def fuzz(name: str, count: int, *, derandomize: bool = False) -> Checker:
    """Fuzzes one format with about so many inputs.

    Raises:
        AssertionError: An input was found that breaks a promise; hypothesis shows it.
    """
    checker = Checker(name)

    def one(found: tuple[bytes, Sample]) -> None:
        checker.check(*found)

    round_settings = settings(
        max_examples=min(count, 10_000),
        deadline=None,
        database=None,
        derandomize=derandomize,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    while checker.inputs < count:  # in rounds: hypothesis remembers each input of one
        round_settings(given(inputs(name))(one))()
        gc.collect()
    return checker


def main() -> int:
    """The long round."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--inputs", type=int, default=100_000, help="for each format")
    parser.add_argument(
        "--format", action="append", choices=sorted(samples()), help="several times"
    )
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    print(
        f"{'format':24} {'inputs':>8} {'refused':>8} {'records':>9} {'rejects':>9}  slowest  peak"
    )
    for name in options.format or samples():
        started = time.perf_counter()
        done = fuzz(name, options.inputs)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"{name:24} {done.inputs:8} {done.refused:8} {done.records:9} {done.rejects:9}"
            f"  {done.slowest:6.3f}s, {peak} MiB at most, in {time.perf_counter() - started:.0f} s",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
