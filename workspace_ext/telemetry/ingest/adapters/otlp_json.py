"""OTLP as JSON lines: each line is a request, as OpenTelemetry Collector's file exporter writes.

Ids are hexadecimal and 64-bit integers are text there, unlike in protobuf's own JSON, so the
lines are read as plain JSON. A file with one request over several lines is read, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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
    BadRecord,
    Row,
    Rows,
    as_text,
    exponential_buckets,
    log_row,
    metric_head,
    origin,
    point_row,
    span_row,
)
from workspace_ext.telemetry.ingest.model import Parsed
from workspace_ext.telemetry.ingest.source import Opened
from workspace_ext.telemetry.ingest.targets import (
    METRIC_KINDS,
    SPAN_KINDS,
    SPAN_STATUSES,
    TEMPORALITIES,
)

_CHUNK = 20_000
_WHOLE_LIMIT = 64 << 20
_SIGNALS = ("resourceSpans", "resourceLogs", "resourceMetrics")
_BAD = (BadRecord, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


def read(path: Path, name: str) -> Iterator[Parsed]:
    """The records of a file, in chunks.

    Raises:
        BadInput: Its compression is broken.
    """
    rows = Rows()
    with Opened(path, name) as opened:
        for line, text in _requests(opened):
            _request(rows, line, text)
            if rows.count >= _CHUNK:
                yield rows.hand_on(opened.position())
        yield rows.hand_on(opened.position())


def _requests(opened: Opened) -> Iterator[tuple[int, bytes]]:
    """The requests with their lines; a request over several lines comes as one."""
    first = opened.stream.readline()
    if not _is_json(first):
        whole = first + opened.stream.read(_WHOLE_LIMIT)
        if _is_json(whole):
            yield 1, whole
            return
    opened.stream.seek(0)
    yield from enumerate(opened.stream, 1)


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _request(rows: Rows, line: int, text: bytes) -> None:
    text = text.strip()
    if not text:
        return
    shown = text.decode("utf-8", "replace")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        rows.reject(line, f"not valid JSON: {error}", shown)
        return
    known = [key for key in _SIGNALS if isinstance(content, dict) and key in content]
    if not known:
        rows.reject(line, f"none of {', '.join(_SIGNALS)} in it", shown)
    for key in known:
        try:
            for group in items(content, key):
                _group(rows, line, key, group)
        except _BAD as error:
            rows.reject(line, _why(error), shown)


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
