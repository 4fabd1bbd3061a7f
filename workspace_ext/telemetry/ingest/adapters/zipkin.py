"""Zipkin's JSON, version 2: a list of spans.

In Zipkin the two sides of a call may share one span id. The server's side gets an id of its own
then, under the client's, and so do its children in the same list get their parent; otherwise one
side would be taken for a duplicate of the other.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.adapter import NO, SURE, Adapter, Context, Head, whole
from workspace_ext.telemetry.ingest.adapters.json_body import json_body
from workspace_ext.telemetry.ingest.adapters.otlp_records import (
    origin,
    span_row,
)
from workspace_ext.telemetry.ingest.rows import BadRecord, Pairs, Row, Rows, as_pairs, pick
from workspace_ext.telemetry.ingest.targets import RESOURCE_NAMES, SPAN_KINDS, SPAN_STATUSES

_KEYS = re.compile(rb'"(localEndpoint|remoteEndpoint|parentId|annotations|duration)"')
_ADDRESSES = {"ipv4": "address", "ipv6": "address", "port": "port", "serviceName": "service.name"}


def _recognise(head: Head) -> int:
    told = b'"traceId"' in head.content and b'"id"' in head.content
    return SURE if head.start[:1] == b"[" and told and _KEYS.search(head.content) else NO


def _decode(rows: Rows, body: bytes, context: Context) -> None:
    content = json_body(rows, body, context, "a list of Zipkin spans")
    if not isinstance(content, list):
        raise BadInput(
            f"{context.name} is not a list of Zipkin spans",
            hint="send Zipkin's JSON, version 2",
            code="bad_request_body",
        )
    shared = {_place(span, "id") for span in content if _shares(span)}
    for number, span in enumerate(content, 1):
        with rows.guard(number, span):
            _span(rows, number, span, shared)


def _shares(span: Any) -> bool:
    return isinstance(span, dict) and bool(span.get("shared"))


def _place(span: dict[str, Any], key: str) -> tuple[str, str, str]:
    return _id(span.get("traceId"), 32), _id(span.get(key), 16), _service(span)


def _service(span: dict[str, Any]) -> str:
    endpoint = span.get("localEndpoint")
    return str(endpoint.get("serviceName") or "") if isinstance(endpoint, dict) else ""


def _span(rows: Rows, number: int, span: Any, shared: set[tuple[str, str, str]]) -> None:
    if not isinstance(span, dict):
        raise BadRecord("not an object")
    tags = dict(as_pairs(span.get("tags")))
    start_ns = int(span.get("timestamp") or 0) * 1000
    kind = str(span.get("kind") or "").lower()
    trace_id, span_id, service = _place(span, "id")
    parent = _id(span.get("parentId"), 16)
    if _shares(span):
        span_id, parent = _own(span_id, service), span_id
    elif (trace_id, parent, service) in shared:
        parent = _own(parent, service)
    attributes = {**tags, **_endpoint(span.get("remoteEndpoint"))}
    rows.add(
        "spans",
        number,
        span_row(
            _origin(service, tags),
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=parent,
            name=str(span.get("name") or ""),
            kind=SPAN_KINDS.index(kind) if kind in SPAN_KINDS else 0,
            start_ns=start_ns,
            end_ns=start_ns + int(span.get("duration") or 0) * 1000,
            status=SPAN_STATUSES.index("error" if "error" in tags else "unset"),
            status_message=_message(tags),
            trace_state=str(tags.get("w3c.tracestate") or ""),
            attributes=sorted(attributes.items()),
            events=[
                {"time": int(note["timestamp"]), "name": str(note["value"]), "attributes": []}
                for note in span.get("annotations") or ()
            ],
            links=[],
        ),
    )


def _origin(service: str, tags: dict[str, str | None]) -> Row:
    """What it is of: Zipkin has tags only, and no resource that they could belong to."""
    resource: Pairs = [("service.name", service)] if service else []
    shared = origin(resource, tags.get("otel.library.name") or "")
    told = {**pick(tags, RESOURCE_NAMES), "service": shared["service"]}
    return {**shared, **{name: value for name, value in told.items() if value}}


def _message(tags: dict[str, str | None]) -> str:
    said = tags.get("error") or ""
    return "" if said == "true" else said


def _endpoint(endpoint: Any) -> dict[str, str | None]:
    if not isinstance(endpoint, dict):
        return {}
    return {
        f"peer.{name}": str(endpoint[key]) for key, name in _ADDRESSES.items() if endpoint.get(key)
    }


def _id(value: object, digits: int) -> str:
    return str(value).lower().zfill(digits) if value else ""


def _own(span_id: str, service: str) -> str:
    return hashlib.sha256(f"{span_id} {service}".encode("utf-8", "replace")).hexdigest()[:16]


ADAPTER = Adapter("Zipkin JSON, version 2", whole(_decode), _recognise)
