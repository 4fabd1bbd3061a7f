"""Elasticsearch's bulk request: an action line, then a document; each document is a log record.

What a document's keys mean follows the Elastic Common Schema, and what log shippers usually write.
All its keys become attributes, joined by dots where they are nested.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, Any

from workspace_ext.telemetry.ingest.adapter import NO, SURE, Adapter, Context, Head, lines
from workspace_ext.telemetry.ingest.adapters.json_body import flat
from workspace_ext.telemetry.ingest.limits import LINE_BYTES
from workspace_ext.telemetry.ingest.model import Parsed
from workspace_ext.telemetry.ingest.rows import (
    BadRecord,
    Row,
    Rows,
    as_text,
    as_time,
    check_time,
    pick,
)
from workspace_ext.telemetry.ingest.severity import severity_number
from workspace_ext.telemetry.ingest.targets import LABEL_NAMES, RESOURCE_NAMES

_ACTION = re.compile(rb'\s*\{\s*"(index|create|update|delete)"\s*:\s*\{')
_WITH_DOCUMENT = ("index", "create")
_TIMES = ("@timestamp", "timestamp", "time", "timereported", "timegenerated", "date")
_BODIES = ("message", "msg", "log", "event.original", "body")
_LEVELS = ("log.level", "level", "severity", "severity_text", "loglevel", "priority")
_ALSO_LABELS = ("environment", "version", "region")
_ECS = {
    "service": ("service.name", "service_name", "service", "app", "programname", "app-name"),
    "environment": ("service.environment",),
    "version": ("kubernetes.labels.app_kubernetes_io/version",),
    "namespace": ("kubernetes.namespace", "kubernetes.namespace_name"),
    "pod": ("kubernetes.pod.name", "kubernetes.pod_name"),
    "host": ("host.name", "host.hostname", "host", "hostname", "fromhost", "agent.hostname"),
    "region": (),
}
_HOT = {
    name: (*own, *RESOURCE_NAMES[name], *(LABEL_NAMES[name] if name in _ALSO_LABELS else ()))
    for name, own in _ECS.items()
}
_MILLISECONDS = 10_000_000_000
"""A number of seconds that is larger than this is one of milliseconds: the year 2286."""


def _recognise(head: Head) -> int:
    return SURE if _ACTION.match(head.start) else NO


def _read(stream: IO[bytes], context: Context) -> Iterator[Parsed]:
    """The records; a reject names the line of its action."""
    rows = Rows()
    pending: tuple[int, dict[str, Any]] | None = None
    for number, line in lines(stream):
        rows.size += len(line)
        text = line.strip()
        if not text:
            continue
        if pending is None:
            with rows.guard(number, text):
                name, options = _action(text)
                if name in _WITH_DOCUMENT or name == "update":
                    pending = number, {**options, "_action": name}
                if name not in _WITH_DOCUMENT:
                    rows.reject(number, f"{name} is not for logs: only new ones are taken", text)
            continue
        at, options = pending
        pending = None
        if options.pop("_action") in _WITH_DOCUMENT:
            with rows.guard(at, text):
                _document(rows, at, text, options, context)
        if rows.full:
            yield rows.hand_on()
    if pending is not None:
        rows.reject(pending[0], "an action without its document", "")
    yield rows.hand_on()


def _action(text: bytes) -> tuple[str, dict[str, Any]]:
    if not _ACTION.match(text):
        raise BadRecord("not an action: index, create, update or delete")
    name, options = next(iter(json.loads(text).items()))
    return name, {key: options[key] for key in ("_index", "_id") if options.get(key)}


def _document(
    rows: Rows, number: int, text: bytes, options: dict[str, Any], context: Context
) -> None:
    if len(text) > LINE_BYTES:
        raise BadRecord(f"longer than {LINE_BYTES >> 20} MiB")
    content = json.loads(rows.text(text))
    if not isinstance(content, dict):
        raise BadRecord("the document is no object")
    given = flat(content) | options
    time_ns = _time(rows, given, context)
    attributes = {name: as_text(value) for name, value in given.items()}
    body = next((attributes[name] for name in _BODIES if attributes.get(name)), None)
    level = next((attributes[name] for name in _LEVELS if attributes.get(name)), None)
    row: Row = {
        "time_ns": time_ns,
        "severity": level,
        "severity_number": severity_number(level) if level else None,
        "body": text.decode("utf-8", "replace") if body is None else body,
        "trace_id": _id(attributes, "trace.id", "trace_id", "traceId"),
        "span_id": _id(attributes, "span.id", "span_id", "spanId"),
        "event_name": attributes.get("event.action"),
        "attributes": sorted(
            (name, value)
            for name, value in attributes.items()
            if name not in _TIMES and value != body
        ),
        "resource": [],
    }
    rows.add("logs", number, {**pick(attributes, _HOT), **row})


def _id(attributes: dict[str, str | None], *names: str) -> str | None:
    found = next((attributes[name] for name in names if attributes.get(name)), None)
    return found.lower() if found else None


def _time(rows: Rows, given: dict[str, Any], context: Context) -> int:
    value = next((given[name] for name in _TIMES if given.get(name)), None)
    if value is None:
        rows.warn("documents without a time got the time of this ingest")
        return context.now_ns
    if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
        time_ns = as_time(value)
    else:
        number = float(value)
        time_ns = round(number * 1000) * (1000 if number > _MILLISECONDS else 1_000_000)
    check_time(time_ns)
    return time_ns


ADAPTER = Adapter("Elasticsearch bulk request", _read, _recognise)
