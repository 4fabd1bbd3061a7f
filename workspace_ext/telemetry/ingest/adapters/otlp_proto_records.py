"""OTLP's protobuf records as rows: which messages hold them, and what each becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from workspace_ext.telemetry.ingest.adapters.otlp_proto_values import pairs_of, value_of
from workspace_ext.telemetry.ingest.adapters.otlp_records import (
    exponential_buckets,
    log_row,
    metric_head,
    origin,
    point_row,
    span_row,
)
from workspace_ext.telemetry.ingest.adapters.otlp_span_columns import SPANS
from workspace_ext.telemetry.ingest.adapters.pieces import Spine
from workspace_ext.telemetry.ingest.rows import BadRecord, Row, Rows, as_text


@dataclass(frozen=True)
class Kind:
    """A signal's message: resources, which hold scopes, which hold records.

    Attributes:
        message: Its class.
        spine: Where its records are.
        scopes: The field of a resource's message that holds scopes.
        records: The field of a scope's message that holds records.
        is_one: Whether a record is one of this signal; all begin with the same fields.
        add: Adds a record to the rows, with the columns that its resource and scope share.
    """

    message: type[Message]
    spine: Spine
    scopes: str
    records: str
    is_one: Callable[[Any], bool]
    add: Callable[[Rows, int, Row, Any], None]

    def holds(self, groups: Iterable[Any]) -> bool:
        """Whether what was read as this kind is of this kind."""
        return any(
            self.is_one(record)
            for group in groups
            for scope in getattr(group, self.scopes)
            for record in getattr(scope, self.records)
        )

    def convert(self, rows: Rows, number: int, groups: Iterable[Any]) -> None:
        """Adds the records of some resources to the rows; a bad record costs itself only."""
        for shared, record in self._records(groups):
            try:
                self.add(rows, number, shared, record)
            except BadRecord as error:
                rows.reject(number, str(error), str(record))

    def _records(self, groups: Iterable[Any]) -> Iterator[tuple[Row, Any]]:
        for group in groups:
            resource = pairs_of(group.resource.attributes)
            for scope in getattr(group, self.scopes):
                shared = origin(resource, scope.scope.name)
                for record in getattr(scope, self.records):
                    yield shared, record


def _is_span(span: Any) -> bool:
    of_ids = len(span.trace_id) == 16 and len(span.span_id) == 8
    return of_ids and bool(span.start_time_unix_nano)


def _is_metric(metric: Any) -> bool:
    return metric.WhichOneof("data") is not None


def _is_log(record: Any) -> bool:
    return bool(record.time_unix_nano or record.observed_time_unix_nano)


def _span(rows: Rows, number: int, shared: Row, span: Any) -> None:
    row = span_row(
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
    rows.add("spans", number, row)


def _log(rows: Rows, number: int, shared: Row, record: Any) -> None:
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


def _metric(rows: Rows, number: int, shared: Row, metric: Any) -> None:
    """A metric's points; a bad point costs itself only."""
    kind = metric.WhichOneof("data")
    if kind is None:
        raise BadRecord(f"metric {metric.name!r} has no data of a known kind")
    data = getattr(metric, kind)
    temporality = getattr(data, "aggregation_temporality", 0)
    monotonic = getattr(data, "is_monotonic", None)
    head = metric_head(metric.name, metric.unit, kind, temporality, monotonic)
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


_POINTS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
_METRICS: Spine = {name: {"data_points": {}} for name in _POINTS}
KINDS = {
    "spans": Kind(TracesData, SPANS, "scope_spans", "spans", _is_span, _span),
    "metrics": Kind(
        MetricsData,
        {"resource_metrics": {"scope_metrics": {"metrics": _METRICS}}},
        "scope_metrics",
        "metrics",
        _is_metric,
        _metric,
    ),
    "logs": Kind(
        LogsData,
        {"resource_logs": {"scope_logs": {"log_records": {}}}},
        "scope_logs",
        "log_records",
        _is_log,
        _log,
    ),
}
"""By signal."""
