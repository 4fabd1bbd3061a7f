"""The broker's own OpenTelemetry traces, when asked for; nothing, at no cost, otherwise.

Where they go is said by OpenTelemetry's own variables (``OTEL_EXPORTER_OTLP_ENDPOINT`` and its
kin); without them to port 4318 of this machine, which is where a broker receives. What it sends to
itself is marked: neither its arrival nor its merge is traced, so that nothing goes round.
A span tells what was asked and how much came of it, never a value of a query.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.clock import now_ns
from workspace_ext.foundation.errors import InvestigationError, Unavailable
from workspace_ext.foundation.ids import new_id

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

    from workspace_ext.telemetry.ingest.live.merge import LiveBatch

VARIABLE = "INVESTIGATION_TRACE"
SERVICE = "investigation-broker"
OWN = "the broker's own traces"
"""The source of the batches in which its own spans are."""

_HEADER = "x-investigation-own"
_MARK = new_id()
_END_MILLISECONDS = 3000


class Span:
    """What a traced piece of work tells of itself."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}

    def tell(self, **attributes: Any) -> None:
        """Adds attributes; those that are None are left out."""
        self.told |= attributes


class _Tracing:
    def __init__(self, provider: TracerProvider, tracer: Tracer) -> None:
        self.provider = provider
        self.tracer = tracer


_on: _Tracing | None = None


def wanted() -> bool:
    """Whether the environment asks for traces."""
    return os.environ.get(VARIABLE, "").lower() in ("1", "true", "yes", "on")


def start() -> None:
    """Traces from now on.

    Raises:
        Unavailable: OpenTelemetry's SDK is not installed.
    """
    global _on  # noqa: PLW0603 - one process, one tracer
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.util.re import parse_env_headers
    except ImportError as error:
        raise Unavailable(
            f"the broker cannot trace itself: {error}",
            hint="pip install 'investigation-workspace[otel]', or leave --trace out",
            code="no_opentelemetry",
        ) from error
    name = os.environ.get("OTEL_SERVICE_NAME") or SERVICE
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
    given = os.environ.get("OTEL_EXPORTER_OTLP_HEADERS", "")
    given = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_HEADERS", given)
    headers = {**parse_env_headers(given, liberal=True), _HEADER: _MARK}
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(headers=headers)))
    _on = _Tracing(provider, provider.get_tracer("workspace_ext.broker"))


def stop() -> None:
    """Sends what is left, for a few seconds at most, and traces no more."""
    global _on
    tracing, _on = _on, None
    if tracing is not None:
        tracing.provider.force_flush(_END_MILLISECONDS)
        tracing.provider.shutdown()


def is_own(headers: Mapping[str, str]) -> bool:
    """Whether a request, by its headers in lower case, brings the broker's own spans."""
    return headers.get(_HEADER) == _MARK


@contextmanager
def span(name: str, headers: Mapping[str, str] | None = None, **attributes: Any) -> Iterator[Span]:
    """For as long as a piece of work takes.

    Args:
        name: Of the work.
        headers: Of the request that asked for it, in lower case: its ``traceparent`` is the parent.
        attributes: What is known from the beginning, without the prefix ``investigation.``.
    """
    work = Span()
    tracing = _on
    if tracing is None:
        yield work
        return
    started = now_ns()
    work.tell(**attributes)
    error: BaseException | None = None
    try:
        yield work
    except BaseException as raised:
        error = raised
        raise
    finally:
        _end(tracing, name, headers, started, work.told, error)


def merged(batches: Sequence[LiveBatch], seconds: float) -> None:
    """Live data came into the store; told by whoever merges."""
    tracing = _on
    if tracing is None or all(batch.source == OWN for batch in batches):
        return
    told = {
        "batches": len(batches),
        "rows": sum(sum(batch.rows.values()) for batch in batches),
        "duplicates": sum(batch.duplicates for batch in batches),
    }
    _end(tracing, "merge", None, now_ns() - int(seconds * 1e9), told, None)


def _end(
    tracing: _Tracing,
    name: str,
    headers: Mapping[str, str] | None,
    started_ns: int,
    told: Mapping[str, Any],
    error: BaseException | None,
) -> None:
    from opentelemetry.trace import SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    known = {f"investigation.{key}": value for key, value in told.items() if value is not None}
    span = tracing.tracer.start_span(
        name,
        context=TraceContextTextMapPropagator().extract(headers or {}),
        kind=SpanKind.INTERNAL if headers is None else SpanKind.SERVER,
        start_time=started_ns,
        attributes=known,
    )
    if error is not None:
        kind = error.code if isinstance(error, InvestigationError) else type(error).__name__
        span.set_attribute("error.type", kind)
        span.set_status(Status(StatusCode.ERROR))
    span.end()
