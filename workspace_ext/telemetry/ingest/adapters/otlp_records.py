"""OTLP's data model as rows: what the JSON and the protobuf adapter share.

Both give plain values (ids in hexadecimal, times in nanoseconds, enumerations as numbers,
attributes as sorted pairs of texts); here they become rows, or a reason why not.
"""

from __future__ import annotations

import re

from workspace_ext.telemetry.ingest.limits import (
    BUCKETS,
    EARLIEST_NS,
    LATEST_NS,
    PARTS,
    TEXT,
)
from workspace_ext.telemetry.ingest.rows import BadRecord, Pairs, Row, check_time, pick
from workspace_ext.telemetry.ingest.severity import severity_name, severity_number
from workspace_ext.telemetry.ingest.targets import (
    RESOURCE_NAMES,
    SPAN_KINDS,
    SPAN_STATUSES,
    TEMPORALITIES,
)

_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")


def origin(resource: Pairs, scope: str) -> Row:
    """The columns that all records of one resource and scope share."""
    row = pick(dict(resource), RESOURCE_NAMES)
    row["resource"] = resource
    row["scope"] = scope or None
    return row


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
        "kind": SPAN_KINDS[kind] if 0 <= kind < len(SPAN_KINDS) else SPAN_KINDS[0],
        "status": SPAN_STATUSES[status] if 0 <= status < len(SPAN_STATUSES) else SPAN_STATUSES[0],
        "status_message": status_message or None,
        "trace_state": trace_state or None,
        "attributes": attributes,
        "span_events": [_part(event) for event in events[:PARTS]],
        "links": [{name: text[:TEXT] for name, text in link.items()} for link in links[:PARTS]],
    }


def _part(event: Row) -> Row:
    """An event of a span; its attributes are bounded where those of all records are."""
    plausible = EARLIEST_NS <= event["time"] * 1000 < LATEST_NS
    return {**event, "time": event["time"] if plausible else None, "name": event["name"][:TEXT]}


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
        "trace_id": trace_id if trace_id.strip("0") else None,
        "span_id": span_id if span_id.strip("0") else None,
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
        BadRecord: It has no time, or too many buckets.
    """
    check_time(time_ns)
    if head["kind"] == "histogram" and len(values["bucket_counts"]) > BUCKETS:
        raise BadRecord(f"more than {BUCKETS} buckets")
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

    Raises:
        BadRecord: Its bounds are beyond all numbers, or it has too many buckets.
    """
    if max(len(positive[1]), len(negative[1])) > BUCKETS:
        raise BadRecord(f"more than {BUCKETS} buckets")
    try:
        return _explicit(2.0 ** (2.0**-scale), zero_count, positive, negative)
    except (OverflowError, ZeroDivisionError):
        raise BadRecord(f"buckets of scale {scale} have no bounds") from None


def _explicit(
    base: float,
    zero_count: int,
    positive: tuple[int, list[int]],
    negative: tuple[int, list[int]],
) -> Row:
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
