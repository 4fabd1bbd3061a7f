"""The health of the broker, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from workspace_ext.broker.health import LiveHealth, StoreHealth
from workspace_ext.broker.services import Services
from workspace_ext.foundation.errors import InvestigationError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SERVER_ERROR = 500
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counts what passes the edges, and reports it with what the services count themselves.

    Args:
        services: Of the store.
    """

    def __init__(self, services: Services) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(LiveHealth(services.live))
        self._registry.register(StoreHealth(services))
        self._queries = Histogram(
            "investigation_query_duration_seconds",
            "From a query's arrival to the end of its answer, by what asks and what came of it",
            ["kind", "outcome"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._acknowledged = Histogram(
            "investigation_ingest_acknowledge_duration_seconds",
            "From the last byte of a request to its acknowledgement, when it is on disk",
            ["receiver"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._refused = Counter(
            "investigation_ingest_refused_requests",
            "Requests that were not taken, by reason",
            ["receiver", "reason"],
            registry=self._registry,
        )

    @contextmanager
    def query(self, kind: str) -> Iterator[None]:
        """For as long as a query is answered.

        Args:
            kind: What asks: "template" or "sql".
        """
        started, outcome = perf_counter(), "failed"
        try:
            yield
            outcome = "answered"
        except InvestigationError as error:
            outcome = "failed" if error.status >= _SERVER_ERROR else "refused"
            raise
        finally:
            self._queries.labels(kind, outcome).observe(perf_counter() - started)

    def acknowledged(self, receiver: str, seconds: float) -> None:
        """A request was taken."""
        self._acknowledged.labels(receiver).observe(seconds)

    def refused(self, receiver: str, reason: str) -> None:
        """A request was not taken."""
        self._refused.labels(receiver, reason).inc()

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)
