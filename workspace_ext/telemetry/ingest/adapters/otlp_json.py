"""OTLP as JSON lines: each line is a request, as OpenTelemetry Collector's file exporter writes.

Ids are hexadecimal and 64-bit integers are text there, unlike in protobuf's own JSON, so the
lines are read as plain JSON. A file with one request over several lines is read, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import IO, Any

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.adapter import (
    NO,
    SURE,
    Adapter,
    Context,
    Head,
    everything,
    lines,
)
from workspace_ext.telemetry.ingest.adapters.otlp_json_values import (
    any_value,
    enum,
    hex_id,
    items,
    number,
    pairs,
    severity,
    whole,
)
from workspace_ext.telemetry.ingest.adapters.otlp_records import (
    exponential_buckets,
    log_row,
    metric_head,
    origin,
    point_row,
    span_row,
)
from workspace_ext.telemetry.ingest.limits import LINE_BYTES, WHOLE_BYTES
from workspace_ext.telemetry.ingest.model import Parsed
from workspace_ext.telemetry.ingest.rows import BadRecord, Row, Rows, as_text
from workspace_ext.telemetry.ingest.targets import (
    METRIC_KINDS,
    SPAN_KINDS,
    SPAN_STATUSES,
    TEMPORALITIES,
)

_SIGNALS = {"resourceSpans": "spans", "resourceLogs": "logs", "resourceMetrics": "metrics"}
_KEYS = re.compile(rb'"(resourceSpans|resourceLogs|resourceMetrics)"')
_BAD = (BadRecord, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


def _recognise(head: Head) -> int:
    return SURE if head.start[:1] == b"{" and _KEYS.search(head.content) else NO


def _read(stream: IO[bytes], context: Context) -> Iterator[Parsed]:
    """The records; of a request whose signal is known, the body must be one message."""
    rows = Rows()
    for line, text in _requests(rows, stream, context):
        rows.size += len(text)
        _request(rows, line, text, context)
        if rows.full:
            yield rows.hand_on()
    yield rows.hand_on()


def _requests(rows: Rows, stream: IO[bytes], context: Context) -> Iterator[tuple[int, bytes]]:
    """The requests with their lines; a request over several lines comes as one."""
    if context.signal:
        yield 1, everything(stream, context)
        return
    first = stream.readline(LINE_BYTES)
    if not _is_json(first):
        whole = first + stream.read(WHOLE_BYTES - len(first))
        if _is_json(whole):
            yield 1, whole
            return
    stream.seek(0)
    for line, text in lines(stream):
        if len(text) > LINE_BYTES:
            rows.reject(line, f"longer than {LINE_BYTES >> 20} MiB", text)
        else:
            yield line, text


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return False
    return True


def _request(rows: Rows, line: int, text: bytes, context: Context) -> None:
    text = text.strip()
    if not text:
        return
    try:
        content = json.loads(rows.text(text))
    except (ValueError, RecursionError) as error:
        if context.signal:
            raise BadInput(
                f"{context.name} is not valid JSON: {error}",
                hint="send OTLP as JSON, or as protobuf with its content type",
                code="bad_request_body",
            ) from None
        rows.reject(line, f"not valid JSON: {error}", text)
        return
    known = [key for key in _SIGNALS if isinstance(content, dict) and key in content]
    if not known and not (context.signal and content == {}):
        rows.reject(line, f"none of {', '.join(_SIGNALS)} in it", text)
    for key in known:
        try:
            for group in items(content, key):
                _group(rows, line, key, group)
        except _BAD as error:
            rows.reject(line, _why(error), text)


def _group(rows: Rows, line: int, key: str, group: dict[str, Any]) -> None:
    """One resource's records; a bad record costs itself only, a bad resource its records."""
    scopes, records, convert = _SHAPES[key]
    try:
        resource = pairs((group.get("resource") or {}).get("attributes"))
        parts = [
            (
                origin(resource, str((scope.get("scope") or {}).get("name", ""))),
                items(scope, records),
            )
            for scope in items(group, scopes)
        ]
    except _BAD as error:
        rows.reject(line, f"{key}: {_why(error)}", group)
        return
    for shared, found in parts:
        for record in found:
            try:
                convert(rows, line, shared, record)
            except _BAD as error:
                rows.reject(line, _why(error), record)


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, BadRecord) else f"not as OTLP has it: {error}"


def _span(rows: Rows, line: int, shared: Row, span: dict[str, Any]) -> None:
    status = span.get("status") or {}
    rows.add(
        "spans",
        line,
        span_row(
            shared,
            trace_id=hex_id(span, "traceId"),
            span_id=hex_id(span, "spanId"),
            parent_span_id=hex_id(span, "parentSpanId"),
            name=str(span.get("name", "")),
            kind=enum(span.get("kind"), "SPAN_KIND_", SPAN_KINDS),
            start_ns=whole(span, "startTimeUnixNano"),
            end_ns=whole(span, "endTimeUnixNano"),
            status=enum(status.get("code"), "STATUS_CODE_", SPAN_STATUSES),
            status_message=str(status.get("message", "")),
            trace_state=str(span.get("traceState", "")),
            attributes=pairs(span.get("attributes")),
            events=[
                {
                    "time": whole(event, "timeUnixNano") // 1000,
                    "name": str(event.get("name", "")),
                    "attributes": pairs(event.get("attributes")),
                }
                for event in items(span, "events")
            ],
            links=[
                {"trace_id": hex_id(link, "traceId"), "span_id": hex_id(link, "spanId")}
                for link in items(span, "links")
            ],
        ),
    )


def _log(rows: Rows, line: int, shared: Row, record: dict[str, Any]) -> None:
    rows.add(
        "logs",
        line,
        log_row(
            shared,
            time_ns=whole(record, "timeUnixNano"),
            observed_ns=whole(record, "observedTimeUnixNano"),
            number=severity(record),
            severity=str(record.get("severityText", "")),
            body=as_text(any_value(record.get("body"))),
            trace_id=hex_id(record, "traceId"),
            span_id=hex_id(record, "spanId"),
            event_name=str(record.get("eventName", "")),
            attributes=pairs(record.get("attributes")),
        ),
    )


def _metric(rows: Rows, line: int, shared: Row, metric: dict[str, Any]) -> None:
    """A metric's points; a bad point costs itself only."""
    name, unit = str(metric.get("name", "")), str(metric.get("unit", ""))
    keys = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")
    found = False
    for key, kind in zip(keys, METRIC_KINDS, strict=True):
        if not isinstance(metric.get(key), dict):
            continue
        found = True
        data = metric[key]
        temporality = enum(
            data.get("aggregationTemporality"),
            "AGGREGATION_TEMPORALITY_",
            ("unspecified", *TEMPORALITIES),
        )
        monotonic = bool(data.get("isMonotonic", False)) if kind == "sum" else None
        head = metric_head(name, unit, kind, temporality, monotonic)
        for point in items(data, "dataPoints"):
            try:
                rows.add(
                    "metrics",
                    line,
                    point_row(
                        shared,
                        head,
                        time_ns=whole(point, "timeUnixNano"),
                        start_ns=whole(point, "startTimeUnixNano"),
                        attributes=pairs(point.get("attributes")),
                        values=_point(kind, point),
                    ),
                )
            except _BAD as error:
                rows.reject(line, f"metric {name}: {_why(error)}", point)
    if not found:
        raise BadRecord(f"metric {name!r} has no data of a known kind")


def _point(kind: str, point: dict[str, Any]) -> Row:
    if kind in ("gauge", "sum"):
        if "asDouble" in point:
            return {"value": float(point["asDouble"])}
        if "asInt" in point:
            return {"value": float(int(point["asInt"]))}
        if int(point.get("flags", 0)) & 1:
            return {"value": None}
        raise BadRecord("no value")
    values: Row = {"count": whole(point, "count"), "sum": number(point, "sum")}
    if kind == "summary":
        values["quantiles"] = [
            (float(q.get("quantile", 0)), float(q.get("value", 0)))
            for q in items(point, "quantileValues")
        ]
        return values
    values |= {"min": number(point, "min"), "max": number(point, "max")}
    if kind == "histogram":
        values["bucket_counts"] = [int(count) for count in point.get("bucketCounts") or ()]
        values["explicit_bounds"] = [float(bound) for bound in point.get("explicitBounds") or ()]
        return values
    return values | exponential_buckets(
        int(point.get("scale", 0)),
        whole(point, "zeroCount"),
        _buckets(point.get("positive")),
        _buckets(point.get("negative")),
    )


def _buckets(value: dict[str, Any] | None) -> tuple[int, list[int]]:
    given = value or {}
    return int(given.get("offset", 0)), [int(count) for count in given.get("bucketCounts") or ()]


_SHAPES: dict[str, tuple[str, str, Callable[[Rows, int, Row, dict[str, Any]], None]]] = {
    "resourceSpans": ("scopeSpans", "spans", _span),
    "resourceLogs": ("scopeLogs", "logRecords", _log),
    "resourceMetrics": ("scopeMetrics", "metrics", _metric),
}

ADAPTER = Adapter("OTLP as JSON lines, or one request", _read, _recognise)
