"""Jaeger's JSON, as its user interface and its query service give it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.adapter import NO, SURE, Adapter, Context, Head, whole
from workspace_ext.telemetry.ingest.adapters.json_body import json_body
from workspace_ext.telemetry.ingest.adapters.otlp_records import (
    origin,
    span_row,
)
from workspace_ext.telemetry.ingest.rows import BadRecord, Pairs, Row, Rows, as_text
from workspace_ext.telemetry.ingest.targets import SPAN_KINDS, SPAN_STATUSES

_TRACE = re.compile(rb'"traceID"')
_SCOPES = ("otel.scope.name", "otel.library.name")
_EVENT_NAMES = ("event", "message", "log")


def _recognise(head: Head) -> int:
    told = b'"operationName"' in head.content or b'"processes"' in head.content
    return SURE if head.start[:1] in b"{[" and told and _TRACE.search(head.content) else NO


def _decode(rows: Rows, body: bytes, context: Context) -> None:
    for number, trace in _traces(rows, body, context):
        with rows.guard(number, trace):
            if not isinstance(trace, dict) or not isinstance(trace.get("spans"), list):
                raise BadRecord("a trace without spans")
            processes = {
                key: _process(process) for key, process in (trace.get("processes") or {}).items()
            }
            for span in trace["spans"]:
                with rows.guard(number, span):
                    _span(rows, number, span, processes)


def _traces(rows: Rows, body: bytes, context: Context) -> Iterator[tuple[int, Any]]:
    """The traces of an answer of the query service, a bare one, or one a line; numbered."""
    try:
        content = json_body(rows, body, context, "Jaeger JSON")
    except BadInput:
        lines = body.decode("utf-8", "replace").split("\n")
        if len(lines) < 2:
            raise
        for number, line in enumerate(lines, 1):
            with rows.guard(number, line):
                if line.strip():
                    yield number, json.loads(line)
        return
    if isinstance(content, dict) and "data" in content:
        content = content["data"]
    yield from enumerate(content if isinstance(content, list) else [content], 1)


def _process(process: dict[str, Any]) -> Pairs:
    tags = dict(_tags(process.get("tags")))
    return sorted({**tags, "service.name": str(process.get("serviceName") or "") or None}.items())


def _tags(tags: Any) -> Pairs:
    return [(str(tag["key"]), as_text(tag.get("value"))) for tag in tags or ()]


def _span(rows: Rows, number: int, span: dict[str, Any], processes: dict[str, Pairs]) -> None:
    tags = dict(_tags(span.get("tags")))
    if isinstance(span.get("process"), dict):
        resource = _process(span["process"])
    else:
        resource = processes.get(str(span.get("processID")), [])
    scope = next((tags[name] for name in _SCOPES if tags.get(name)), None)
    start_ns = int(span["startTime"]) * 1000
    parent, links = _references(span)
    kind = str(tags.get("span.kind")).lower()
    row = span_row(
        origin(resource, scope or ""),
        trace_id=_id(span.get("traceID"), 32),
        span_id=_id(span.get("spanID"), 16),
        parent_span_id=parent,
        name=str(span.get("operationName") or ""),
        kind=SPAN_KINDS.index(kind) if kind in SPAN_KINDS else 0,
        start_ns=start_ns,
        end_ns=start_ns + int(span.get("duration") or 0) * 1000,
        status=_status(tags),
        status_message=str(tags.get("otel.status_description") or ""),
        trace_state=str(tags.get("w3c.tracestate") or ""),
        attributes=sorted(tags.items()),
        events=[_event(log) for log in span.get("logs") or ()],
        links=links,
    )
    rows.add("spans", number, row)


def _status(tags: dict[str, str | None]) -> int:
    said = str(tags.get("otel.status_code") or "").lower()
    if said in SPAN_STATUSES:
        return SPAN_STATUSES.index(said)
    return SPAN_STATUSES.index("error" if tags.get("error") == "true" else "unset")


def _references(span: dict[str, Any]) -> tuple[str, list[Row]]:
    """The parent, and the other spans that it refers to."""
    parent = _id(span.get("parentSpanID"), 16) if span.get("parentSpanID") else ""
    trace = _id(span.get("traceID"), 32)
    links: list[Row] = []
    for reference in span.get("references") or ():
        other = (_id(reference.get("traceID"), 32), _id(reference.get("spanID"), 16))
        if reference.get("refType") == "CHILD_OF" and other[0] == trace and not parent:
            parent = other[1]
        elif other != (trace, parent):
            links.append({"trace_id": other[0], "span_id": other[1]})
    return parent, links


def _id(value: object, digits: int) -> str:
    """Jaeger leaves leading zeros out, and half of a trace's id when it is short."""
    return str(value or "").lower().zfill(digits) if value else ""


def _event(log: dict[str, Any]) -> Row:
    fields = dict(_tags(log.get("fields")))
    name = next((fields[key] for key in _EVENT_NAMES if fields.get(key)), "")
    return {
        "time": int(log["timestamp"]),
        "name": name,
        "attributes": sorted(fields.items()),
    }


ADAPTER = Adapter("Jaeger JSON", whole(_decode), _recognise)
