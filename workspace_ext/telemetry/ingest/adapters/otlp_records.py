"""OTLP's data model as rows: what the JSON and the protobuf adapter share.

Both give plain values (ids in hexadecimal, times in nanoseconds, enumerations as numbers,
attributes as sorted pairs of texts); here they become rows, or a reason why not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from workspace_ext.telemetry.ingest.columns import table
from workspace_ext.telemetry.ingest.model import RECORD_LIMIT, Parsed, Reject
from workspace_ext.telemetry.ingest.severity import severity_name, severity_number
from workspace_ext.telemetry.ingest.targets import SPAN_KINDS, SPAN_STATUSES, TEMPORALITIES

Row = dict[str, Any]
Pairs = list[tuple[str, str | None]]

_HOT = {
    "service": ("service.name",),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "version": ("service.version",),
    "namespace": ("k8s.namespace.name", "service.namespace"),
    "pod": ("k8s.pod.name",),
    "host": ("host.name", "k8s.node.name"),
    "region": ("cloud.region",),
}
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")
_LATEST_NS = (1 << 63) - 1
_NOT_KEPT = (pa.ArrowException, UnicodeEncodeError, OverflowError)


class BadRecord(ValueError):
    """A record that cannot be kept; its text is the reason."""


@dataclass
class Rows:
    """Rows and rejects, until they are handed on.

    A bad record costs itself only: `reject` is told what it was.
    """

    found: dict[str, list[tuple[int | None, Row]]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    count: int = 0

    def add(self, signal: str, line: int | None, row: Row) -> None:
        """Keeps a row."""
        self.found.setdefault(signal, []).append((line, row))
        self.count += 1

    def reject(self, line: int | None, reason: str, record: object) -> None:
        """Notes a bad record."""
        shown = record if isinstance(record, str) else json.dumps(record, default=str)
        self.rejects.append(Reject(line, _printable(reason), _printable(shown)[:RECORD_LIMIT]))
        self.count += 1

    def hand_on(self, position: int) -> Parsed:
        """Everything so far, as tables; starts anew."""
        tables = {signal: self._table(signal, rows) for signal, rows in self.found.items()}
        parsed = Parsed(tables, tuple(self.rejects), position)
        self.found, self.rejects, self.count = {}, [], 0
        return parsed

    def _table(self, signal: str, rows: list[tuple[int | None, Row]]) -> pa.Table:
        try:
            return table(signal, [row for _, row in rows])
        except _NOT_KEPT:
            good = [row for line, row in rows if self._fits(signal, line, row)]
            return table(signal, good)

    def _fits(self, signal: str, line: int | None, row: Row) -> bool:
        """Whether a row's values fit their columns; a number may be too large, a text no text."""
        try:
            table(signal, [row])
        except _NOT_KEPT as error:
            self.reject(line, f"a value cannot be kept: {error}", row)
            return False
        return True


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def as_text(value: object) -> str | None:
    """An attribute's value as text; what is nested becomes JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def origin(resource: Pairs, scope: str) -> Row:
    """The columns that all records of one resource and scope share."""
    return {**hot(dict(resource), _HOT), "resource": resource, "scope": scope or None}


def hot(given: Mapping[str, str | None], named: Mapping[str, Sequence[str]]) -> Row:
    """The hot columns: of the names that each may have, the first that is given."""
    return {
        column: next((given[name] for name in names if given.get(name)), None)
        for column, names in named.items()
    }


def _named(names: Sequence[str], number: int) -> str:
    """An enumeration's name; of a number that is not known, the first."""
    return names[number] if 0 <= number < len(names) else names[0]


def span_row(  # noqa: PLR0913 - a span has that many parts
    shared: Row,
    *,
    trace_id: str,
    span_id: str,
    parent_span_id: str,
    name: str,
    kind: int,
    start_ns: int,
    end_ns: int,
    status: int,
    status_message: str,
    trace_state: str,
    attributes: Pairs,
    events: list[Row],
    links: list[Row],
) -> Row:
    """A span.

    Raises:
        BadRecord: Its ids or times are wrong.
    """
    if not _TRACE_ID.fullmatch(trace_id):
        raise BadRecord(f"trace id {trace_id!r} is not 32 hexadecimal digits")
    if not _SPAN_ID.fullmatch(span_id):
        raise BadRecord(f"span id {span_id!r} is not 16 hexadecimal digits")
    check_time(start_ns)
    if end_ns and end_ns < start_ns:
        raise BadRecord("the span ends before it starts")
    return {
        **shared,
        "time_ns": start_ns,
        "duration_ns": end_ns - start_ns if end_ns else None,
        "trace_id": trace_id,
        "span_id": span_id,
        "parent_span_id": parent_span_id or None,
        "name": name,
        "kind": _named(SPAN_KINDS, kind),
        "status": _named(SPAN_STATUSES, status),
        "status_message": status_message or None,
        "trace_state": trace_state or None,
        "attributes": attributes,
        "span_events": events,
        "links": links,
    }


def log_row(  # noqa: PLR0913 - a log record has that many parts
    shared: Row,
    *,
    time_ns: int,
    observed_ns: int,
    number: int,
    severity: str,
    body: str | None,
    trace_id: str,
    span_id: str,
    event_name: str,
    attributes: Pairs,
) -> Row:
    """A log record; without a time of its own it has the time when it was observed.

    Raises:
        BadRecord: It has no time.
    """
    moment = time_ns or observed_ns
    check_time(moment)
    return {
        **shared,
        "time_ns": moment,
        "observed_time": observed_ns // 1000 if observed_ns else None,
        "severity_number": number or (severity_number(severity) if severity else None),
        "severity": severity or severity_name(number),
        "body": body,
        "trace_id": trace_id or None,
        "span_id": span_id or None,
        "event_name": event_name or None,
        "attributes": attributes,
    }


def metric_head(
    name: str, unit: str, kind: str, temporality: int = 0, monotonic: bool | None = None
) -> Row:
    """The columns that all points of one metric share.

    Raises:
        BadRecord: It has no name.
    """
    if not name:
        raise BadRecord("the metric has no name")
    return {
        "name": name,
        "unit": unit or None,
        "kind": kind,
        "temporality": TEMPORALITIES[temporality - 1] if temporality in (1, 2) else None,
        "monotonic": monotonic,
    }


def point_row(
    shared: Row, head: Row, *, time_ns: int, start_ns: int, attributes: Pairs, values: Row
) -> Row:
    """A data point.

    Raises:
        BadRecord: It has no time.
    """
    check_time(time_ns)
    return {
        **shared,
        **head,
        "time_ns": time_ns,
        "start_time": start_ns // 1000 if start_ns else None,
        "attributes": attributes,
        "bucket_counts": [],
        "explicit_bounds": [],
        **values,
    }


def exponential_buckets(
    scale: int,
    zero_count: int,
    positive: tuple[int, list[int]],
    negative: tuple[int, list[int]],
) -> Row:
    """An exponential histogram's buckets as explicit ones.

    Args:
        scale: The base is 2 to the power of 2 to the power of minus ``scale``.
        zero_count: Values at zero, or too near to tell.
        positive: Offset of the first bucket, and the counts.
        negative: The same for negative values.
    """
    base = 2.0 ** (2.0**-scale)
    counts: list[int] = [zero_count]
    bounds: list[float] = []
    for sign, (offset, given) in ((1, positive), (-1, negative)):
        if not given:
            continue
        edges = [sign * base ** (offset + index) for index in range(len(given) + 1)]
        if sign > 0:
            bounds, counts = [*bounds, *edges], [*counts, *given, 0]
        else:
            bounds, counts = [*edges[::-1], *bounds], [0, *given[::-1], *counts]
    return {"bucket_counts": counts, "explicit_bounds": bounds}


def check_time(time_ns: int) -> None:
    """Raises when a time is missing or beyond what 64 bits hold.

    Raises:
        BadRecord: It is.
    """
    if time_ns <= 0:
        raise BadRecord("no time")
    if time_ns > _LATEST_NS:
        raise BadRecord(f"time {time_ns} is out of range")
