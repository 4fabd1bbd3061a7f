"""Loki's push request, as JSON or as protobuf: streams of log lines.

Labels and structured metadata become attributes. The level is what they say; the line is not
searched for one.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Any

from workspace_ext.telemetry.ingest.adapter import NO, SURE, Adapter, Context, Head, whole
from workspace_ext.telemetry.ingest.adapters.json_body import json_list, json_object
from workspace_ext.telemetry.ingest.adapters.pieces import Spine
from workspace_ext.telemetry.ingest.adapters.wire import declare, parse, text
from workspace_ext.telemetry.ingest.rows import (
    BadRecord,
    Pairs,
    Row,
    Rows,
    as_pairs,
    check_time,
    pick,
)
from workspace_ext.telemetry.ingest.severity import severity_name, severity_number
from workspace_ext.telemetry.ingest.targets import LABEL_NAMES

_PUSH = declare(
    "logproto",
    {
        "PushRequest": "1 streams Stream*",
        "Stream": "1 labels bytes, 2 entries Entry*",
        "Entry": "1 timestamp Timestamp, 2 line bytes, 3 metadata Label*",
        "Label": "1 name bytes, 2 value bytes",
        "Timestamp": "1 seconds int64, 2 nanos int32",
    },
)["PushRequest"]
_LINES: Spine = {"streams": {"entries": {}}}
_KEY = re.compile(rb'"streams"\s*:\s*\[')
_LABEL = re.compile(r'\s*([\w.:\-/]+)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_HOT = {
    **LABEL_NAMES,
    "service": ("service_name", "service", "app_kubernetes_io_name", "app", "job", "container"),
}
_LEVELS = ("level", "severity", "severity_text", "detected_level")


def _recognise(head: Head) -> int:
    return SURE if head.start[:1] == b"{" and _KEY.search(head.content[:4096]) else NO


def _decode(rows: Rows, body: bytes, context: Context) -> None:
    if "json" in context.content_type or body.lstrip()[:1] == b"{":
        _json(rows, body, context)
        return
    messages = parse(rows, _PUSH, _LINES, body, context.name, "Loki push request")
    streams = chain.from_iterable(message.streams for message in messages)
    for number, stream in enumerate(streams, 1):
        with rows.guard(number, stream.labels):
            labels = _labels(text(stream.labels))
            for entry in stream.entries:
                with rows.guard(number, entry.line):
                    time_ns = entry.timestamp.seconds * 1_000_000_000 + entry.timestamp.nanos
                    metadata = dict(as_pairs({text(e.name): text(e.value) for e in entry.metadata}))
                    _add(rows, number, labels | metadata, time_ns, text(entry.line))


def _json(rows: Rows, body: bytes, context: Context) -> None:
    streams = json_list(json_object(rows, body, context, "a Loki push request"), "streams")
    for number, stream in enumerate(streams, 1):
        with rows.guard(number, stream):
            labels = dict(as_pairs(stream.get("stream")))
            for value in stream["values"]:
                with rows.guard(number, value):
                    _value(rows, number, labels, value)


def _value(rows: Rows, number: int, labels: dict[str, str | None], value: list[Any]) -> None:
    time, line = value[0], value[1]
    if not isinstance(line, str):
        raise BadRecord("the line is no text")
    metadata = dict(as_pairs(value[2])) if len(value) > 2 else {}
    _add(rows, number, labels | metadata, int(time), line)


def _labels(written: str) -> dict[str, str | None]:
    """Labels as in a query: ``{app="cart", level="info"}``."""
    inner = written.strip()
    if inner[:1] != "{" or inner[-1:] != "}":
        raise BadRecord("the labels are not in braces")
    inner = inner[1:-1].strip()
    labels: dict[str, str | None] = {}
    at = 0
    while at < len(inner):
        match = _LABEL.match(inner, at)
        if match is None:
            raise BadRecord(f"labels cannot be read at {inner[at : at + 40]!r}")
        labels[match[1]] = _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), match[2])
        at = match.end()
    return labels


def _add(rows: Rows, number: int, given: dict[str, str | None], time_ns: int, line: str) -> None:
    check_time(time_ns)
    level = next((given[name] for name in _LEVELS if given.get(name)), None)
    severity = severity_number(level) if level else None
    attributes: Pairs = sorted(given.items())
    row: Row = {
        "time_ns": time_ns,
        "severity_number": severity,
        "severity": level or severity_name(severity or 0),
        "body": line,
        "trace_id": _id(given, "trace_id", "traceID", "traceid"),
        "span_id": _id(given, "span_id", "spanID", "spanid"),
        "attributes": attributes,
        "resource": [],
    }
    rows.add("logs", number, {**pick(given, _HOT), **row})


def _id(given: dict[str, str | None], *names: str) -> str | None:
    found = next((given[name] for name in names if given.get(name)), None)
    return found.lower() if found else None


ADAPTER = Adapter("Loki push, JSON or protobuf", whole(_decode), _recognise)
