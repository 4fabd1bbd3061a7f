"""CloudEvents 1.0: structured, several in a batch, or binary with the attributes in headers.

The kind of an event follows from words in its type (``dev.cdevents.service.deployed`` is a deploy);
what has none of them is an annotation. A sender's id makes an event one and the same, however often
it is sent.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any
from urllib.parse import unquote

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.adapter import NO, SURE, Adapter, Context, Head, whole
from workspace_ext.telemetry.ingest.adapters.json_body import flat, json_body
from workspace_ext.telemetry.ingest.rows import (
    BadRecord,
    Row,
    Rows,
    as_text,
    as_time,
    check_time,
    pick,
)
from workspace_ext.telemetry.ingest.targets import LABEL_NAMES, RESOURCE_NAMES

_KINDS = {
    "flag": "flag|flags|featureflag|featureflags|toggle|toggles",
    "incident": "incident|incidents|outage|outages",
    "alert": "alert|alerts|alarm|alarms",
    "deploy": "deploy|deploys|deployed|deployment|deployments|release|released|rollout|rollback"
    "|rolledback|upgraded",
    "change": "change|changes|changed|config|configuration|commit|push|pushed|merge|merged"
    "|migration|resource|scaled|modified",
}
_WORDS = {kind: frozenset(words.split("|")) for kind, words in _KINDS.items()}
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_REQUIRED = ("id", "source", "type", "specversion")
_OWN = {*_REQUIRED, "time", "data", "data_base64"}
_HOT = {
    column: tuple(
        f"{prefix}{name}"
        for prefix in ("", "data.")
        for name in (*RESOURCE_NAMES[column], *names, f"{column}name", f"{column}Name")
    )
    for column, names in LABEL_NAMES.items()
}


def _recognise(head: Head) -> int:
    return SURE if head.start[:1] in b"{[" and b'"specversion"' in head.content else NO


def _decode(rows: Rows, body: bytes, context: Context) -> None:
    if "ce-id" in context.headers or "ce-specversion" in context.headers:
        with rows.guard(1, dict(context.headers)):
            _event(rows, 1, _binary(body, context), context)
        return
    for number, event in enumerate(_structured(rows, body, context), 1):
        with rows.guard(number, event):
            if isinstance(event, str):
                event = json.loads(event)  # noqa: PLW2901 - a line becomes what it says
            if not isinstance(event, dict):
                raise BadRecord("not an object")
            _event(rows, number, event, context)


def _structured(rows: Rows, body: bytes, context: Context) -> list[Any]:
    """The events: one, a batch, or in a file one a line."""
    try:
        content = json_body(rows, body, context, "a CloudEvent")
    except BadInput:
        lines = [line for line in body.decode("utf-8", "replace").split("\n") if line.strip()]
        if context.content_type or len(lines) < 2:
            raise
        return lines
    return content if isinstance(content, list) else [content]


def _binary(body: bytes, context: Context) -> dict[str, Any]:
    event: dict[str, Any] = {
        name.removeprefix("ce-"): unquote(value)
        for name, value in context.headers.items()
        if name.startswith("ce-")
    }
    kind = context.content_type
    if kind:
        event["datacontenttype"] = kind
    if not body:
        return event
    if "json" in kind:
        event["data"] = json.loads(body)
    elif kind.startswith("text/") or "xml" in kind:
        event["data"] = body.decode("utf-8", "replace")
    else:
        event["data_base64"] = base64.b64encode(body).decode("ascii")
    return event


def _event(rows: Rows, number: int, event: dict[str, Any], context: Context) -> None:
    missing = [name for name in _REQUIRED if not event.get(name)]
    if missing:
        raise BadRecord(f"no {', '.join(missing)}")
    if event["specversion"] != "1.0":
        raise BadRecord(f"specversion {event['specversion']!r} is not 1.0")
    if event.get("time") is None:
        rows.warn("events without a time got the time of this ingest")
        time_ns = context.now_ns
    else:
        time_ns = as_time(event["time"])
        check_time(time_ns)
    data = event.get("data")
    inner = flat(data) if isinstance(data, dict) else {}
    attributes = {name: as_text(value) for name, value in event.items() if name not in _OWN}
    attributes |= {f"data.{name}": as_text(value) for name, value in inner.items()}
    attributes |= {"id": str(event["id"]), "type": str(event["type"])}
    origin = f"{event['source']}\0{event['id']}"
    rows.add(
        "events",
        number,
        {
            **pick(attributes, _HOT),
            **_told(event, inner),
            "time_ns": time_ns,
            "kind": kind_of(str(event["type"])),
            "source": str(event["source"]),
            "body": as_text(event.get("data_base64") if data is None else data),
            "fingerprint": hashlib.sha256(origin.encode("utf-8", "replace")).hexdigest()[:32],
            "attributes": sorted(attributes.items()),
        },
    )


def _told(event: dict[str, Any], inner: dict[str, Any]) -> Row:
    """What the event says of itself, under the names that are usual."""

    def said(*names: str) -> str | None:
        found = next((inner[name] for name in names if inner.get(name)), None)
        return as_text(found)

    ends = said("end_time", "endTime", "endsAt", "ended_at")
    return {
        "title": said("title", "summary", "name") or str(event.get("subject") or event["type"]),
        "severity": said("severity", "priority"),
        "state": said("state", "status"),
        "end_time": as_time(ends) // 1000 if ends else None,
    }


def kind_of(written: str) -> str:
    """The kind of an event of a type."""
    words = set(_SEPARATORS.split(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", ".", written).lower()))
    return next((kind for kind, known in _WORDS.items() if words & known), "annotation")


ADAPTER = Adapter("CloudEvents 1.0", whole(_decode), _recognise)
