"""OTLP as protobuf: a single request as it goes over the wire, or a file of the Collector.

The Collector's file exporter writes each message after its length: four bytes, big-endian. A
message does not say which signal it holds, all three begin with field 1, so it is found out from
what is in it: only a span has ids of 16 and 8 bytes, only a metric has data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.adapter import (
    BY_SHAPE,
    NO,
    Adapter,
    Context,
    Head,
    everything,
    is_text,
)
from workspace_ext.telemetry.ingest.adapters.otlp_proto_values import pairs_of, value_of
from workspace_ext.telemetry.ingest.adapters.otlp_records import (
    exponential_buckets,
    log_row,
    metric_head,
    origin,
    point_row,
    span_row,
)
from workspace_ext.telemetry.ingest.adapters.otlp_span_columns import SPANS, spans_together
from workspace_ext.telemetry.ingest.adapters.pieces import Spine, TooManyParts, pieces
from workspace_ext.telemetry.ingest.adapters.utf8 import repaired
from workspace_ext.telemetry.ingest.adapters.wire_format import read_varint
from workspace_ext.telemetry.ingest.limits import WHOLE_BYTES
from workspace_ext.telemetry.ingest.model import Parsed, Together
from workspace_ext.telemetry.ingest.rows import BadRecord, Row, Rows, as_text

_FIRST_FIELD = b"\n"
_IN_A_GROUP = b"\n\x12\x1a"
"""How what a resource sent may begin: the resource, its scopes, or the URL of its schema."""
REPAIRED = "texts that are not UTF-8 were repaired"
"""Told of a request with such a text; one bad text costs nothing else."""


def _recognise(head: Head) -> int:
    content = head.content
    single = _begins_request(content) and not is_text(content)
    return BY_SHAPE if single or _framed(content) else NO


def _framed(content: bytes) -> bool:
    """Whether it starts with a length and a message whose first field is number 1."""
    small = len(content) > 5 and content[0] < _FIRST_FIELD[0]
    return small and content[4:5] == _FIRST_FIELD and not is_text(content[:4])


def _begins_request(content: bytes) -> bool:
    """Whether it begins as a request does: one byte alone begins every 256th file of noise, too."""
    if content[:1] != _FIRST_FIELD:
        return False
    with suppress(DecodeError):
        size, group = read_varint(content, 1)
        if content[group + size :][:1] not in (b"", _FIRST_FIELD):
            return False
        if not size:
            return True
        inner_size, inside = read_varint(content, group + 1)
        fits = inside - group + inner_size <= size
        return fits and content[group : group + 1] in _IN_A_GROUP
    return False


def _read(stream: IO[bytes], context: Context) -> Iterator[Parsed]:
    """The records; of a request whose signal is known, the body must be one message."""
    rows = Rows()
    if context.signal:
        _body(rows, stream, context)
    else:
        for number, message in _messages(stream, rows, context):
            rows.size += len(message)
            _request(rows, number, message)
            if rows.full:
                yield rows.hand_on()
    yield rows.hand_on()


def _body(rows: Rows, stream: IO[bytes], context: Context) -> None:
    kind = _KINDS[context.signal]
    content = everything(stream, context)
    try:
        _convert(rows, 1, content, kind)
    except DecodeError as error:
        raise BadInput(
            f"{context.name} holds no {context.signal} as OTLP protobuf: {error}",
            hint="send an export request of that signal",
            code="bad_request_body",
        ) from None


def _together(bodies: Sequence[bytes], signal: str) -> Together | None:
    return spans_together(bodies) if signal == "spans" else None


def _messages(stream: IO[bytes], rows: Rows, context: Context) -> Iterator[tuple[int, bytes]]:
    head = stream.read(5)
    if head[:1] == _FIRST_FIELD:
        yield 1, head + everything(stream, context)
        return
    number = 0
    while head:
        number += 1
        size = int.from_bytes(head[:4], "big")
        if len(head) < 4 or size > WHOLE_BYTES:
            rows.reject(number, "not a length followed by a message", head.hex())
            return
        if size == 0:
            head = head[4:] + stream.read(4)
            continue
        body = head[4:5] + stream.read(size - len(head[4:5]))
        if len(body) < size:
            rows.reject(number, f"cut off after {len(body)} of {size} bytes", body[:64].hex())
            return
        yield number, body
        head = stream.read(5)


def _request(rows: Rows, number: int, content: bytes) -> None:
    with rows.guard(number, content[:64].hex()):
        kind = next((kind for kind in _KINDS.values() if _holds(content, kind)), None)
        if kind is None:
            raise BadRecord("not a request with spans, logs or metrics")
        try:
            _convert(rows, number, content, kind)
        except DecodeError as error:
            raise BadRecord(f"a part of it is damaged: {error}") from None


def _holds(content: bytes, kind: _Kind) -> bool:
    try:
        return any(kind.holds(groups) for groups in _groups(Rows(), content, kind, 0))
    except DecodeError:
        return False


def _convert(rows: Rows, number: int, content: bytes, kind: _Kind) -> None:
    for groups in _groups(rows, content, kind, number):
        kind.convert(rows, number, groups)


def _groups(rows: Rows, content: bytes, kind: _Kind, number: int) -> Iterator[Any]:
    """What each resource sent; of a large request in pieces, for the memory's sake."""
    for piece in pieces(content, kind.message.DESCRIPTOR, kind.spine):
        if isinstance(piece, TooManyParts):
            rows.reject(number, str(piece), b"")
        elif fields := _parsed(rows, kind.message, piece).ListFields():
            yield fields[0][1]


def _parsed(rows: Rows, kind: type[Message], content: bytes) -> Message:
    message = kind()
    try:
        message.ParseFromString(content)
    except DecodeError:
        message = kind()
        message.ParseFromString(repaired(kind, content))
        rows.warn(REPAIRED)
    return message


def _has_spans(groups: Iterable[Any]) -> bool:
    return any(
        len(span.trace_id) == 16 and len(span.span_id) == 8
        for group in groups
        for scope in group.scope_spans
        for span in scope.spans
        if span.start_time_unix_nano
    )


def _has_metrics(groups: Iterable[Any]) -> bool:
    return any(
        metric.WhichOneof("data")
        for group in groups
        for scope in group.scope_metrics
        for metric in scope.metrics
    )


def _has_logs(groups: Iterable[Any]) -> bool:
    return any(
        record.time_unix_nano or record.observed_time_unix_nano
        for group in groups
        for scope in group.scope_logs
        for record in scope.log_records
    )


def _spans(rows: Rows, number: int, groups: Iterable[Any]) -> None:
    for group in groups:
        resource = pairs_of(group.resource.attributes)
        for scope in group.scope_spans:
            shared = origin(resource, scope.scope.name)
            for span in scope.spans:
                try:
                    rows.add("spans", number, _span(shared, span))
                except BadRecord as error:
                    rows.reject(number, str(error), str(span))


def _span(shared: Row, span: Any) -> Row:
    return span_row(
        shared,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        name=span.name,
        kind=span.kind,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        status=span.status.code,
        status_message=span.status.message,
        trace_state=span.trace_state,
        attributes=pairs_of(span.attributes),
        events=[
            {
                "time": event.time_unix_nano // 1000,
                "name": event.name,
                "attributes": pairs_of(event.attributes),
            }
            for event in span.events
        ],
        links=[
            {"trace_id": link.trace_id.hex(), "span_id": link.span_id.hex()} for link in span.links
        ],
    )


def _logs(rows: Rows, number: int, groups: Iterable[Any]) -> None:
    for group in groups:
        resource = pairs_of(group.resource.attributes)
        for scope in group.scope_logs:
            shared = origin(resource, scope.scope.name)
            for record in scope.log_records:
                try:
                    row = log_row(
                        shared,
                        time_ns=record.time_unix_nano,
                        observed_ns=record.observed_time_unix_nano,
                        number=record.severity_number,
                        severity=record.severity_text,
                        body=as_text(value_of(record.body)),
                        trace_id=record.trace_id.hex(),
                        span_id=record.span_id.hex(),
                        event_name=record.event_name,
                        attributes=pairs_of(record.attributes),
                    )
                    rows.add("logs", number, row)
                except BadRecord as error:
                    rows.reject(number, str(error), str(record))


def _metrics(rows: Rows, number: int, groups: Iterable[Any]) -> None:
    for group in groups:
        resource = pairs_of(group.resource.attributes)
        for scope in group.scope_metrics:
            shared = origin(resource, scope.scope.name)
            for metric in scope.metrics:
                _metric(rows, number, shared, metric)


def _metric(rows: Rows, number: int, shared: Row, metric: Any) -> None:
    kind = metric.WhichOneof("data")
    if kind is None:
        rows.reject(number, f"metric {metric.name!r} has no data of a known kind", str(metric))
        return
    try:
        data = getattr(metric, kind)
        temporality = getattr(data, "aggregation_temporality", 0)
        head = metric_head(
            metric.name, metric.unit, kind, temporality, getattr(data, "is_monotonic", None)
        )
    except BadRecord as error:
        rows.reject(number, str(error), str(metric))
        return
    for point in data.data_points:
        try:
            row = point_row(
                shared,
                head,
                time_ns=point.time_unix_nano,
                start_ns=point.start_time_unix_nano,
                attributes=pairs_of(point.attributes),
                values=_point(kind, point),
            )
            rows.add("metrics", number, row)
        except BadRecord as error:
            rows.reject(number, f"metric {metric.name}: {error}", str(point))


def _point(kind: str, point: Any) -> Row:
    if kind in ("gauge", "sum"):
        held = point.WhichOneof("value")
        if held is None and not point.flags & 1:
            raise BadRecord("no value")
        return {"value": None if held is None else float(getattr(point, held))}
    values: Row = {"count": point.count}
    if kind == "summary":
        values["sum"] = point.sum
        values["quantiles"] = [(item.quantile, item.value) for item in point.quantile_values]
        return values
    for name in ("sum", "min", "max"):
        values[name] = getattr(point, name) if point.HasField(name) else None
    if kind == "histogram":
        values["bucket_counts"] = list(point.bucket_counts)
        values["explicit_bounds"] = list(point.explicit_bounds)
        return values
    return values | exponential_buckets(
        point.scale,
        point.zero_count,
        (point.positive.offset, list(point.positive.bucket_counts)),
        (point.negative.offset, list(point.negative.bucket_counts)),
    )


@dataclass(frozen=True)
class _Kind:
    """A signal's request.

    Attributes:
        message: Its class.
        spine: Where its records are.
        holds: Whether what it was read as is what it is.
        convert: Adds its records to the rows.
    """

    message: type[Message]
    spine: Spine
    holds: Callable[[Any], bool]
    convert: Callable[[Rows, int, Any], None]


_DATA = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
_METRICS: Spine = {name: {"data_points": {}} for name in _DATA}
_KINDS = {
    "spans": _Kind(TracesData, SPANS, _has_spans, _spans),
    "metrics": _Kind(
        MetricsData,
        {"resource_metrics": {"scope_metrics": {"metrics": _METRICS}}},
        _has_metrics,
        _metrics,
    ),
    "logs": _Kind(
        LogsData, {"resource_logs": {"scope_logs": {"log_records": {}}}}, _has_logs, _logs
    ),
}


ADAPTER = Adapter(
    "OTLP as protobuf, with lengths or one request", _read, _recognise, together=_together
)
