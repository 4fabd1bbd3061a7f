"""The health of the broker, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from workspace_ext.broker.services import Services

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counts what passes the edges, and reports it with what the services count themselves.

    Args:
        services: Of the store.
    """

    def __init__(self, services: Services) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Store(services))
        self._queries = Histogram(
            "investigation_query_seconds",
            "From a query's arrival to the end of its answer",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._acknowledged = Histogram(
            "investigation_ingest_acknowledge_seconds",
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
    def query(self) -> Iterator[None]:
        """For as long as a query is answered."""
        started = perf_counter()
        try:
            yield
        finally:
            self._queries.observe(perf_counter() - started)

    def acknowledged(self, receiver: str, seconds: float) -> None:
        """A request was taken."""
        self._acknowledged.labels(receiver).observe(seconds)

    def refused(self, receiver: str, reason: str) -> None:
        """A request was not taken."""
        self._refused.labels(receiver, reason).inc()

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)


class _Store(Collector):
    """What the services know, read when somebody asks."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterable[Metric]:
        """The families."""
        yield from self._counters()
        live = self._services.live
        folder = self._services.folder
        gauges = {
            "ingest_held_bytes": ("Accepted and not merged yet", live.held_bytes),
            "ingest_waiting_requests": ("Waiting for the disk", live.waiting),
            "ingest_lag_seconds": ("Age of the oldest record not merged yet", live.lag_seconds),
            "ingest_failing": ("1 while merges fail", float(live.failed is not None)),
            "store_telemetry_bytes": ("Size of the DuckDB file", _size(folder.telemetry)),
            "store_records_bytes": ("Size of the records", _size(folder.records)),
            "store_journal_bytes": (
                "Size of the journal",
                sum(_size(path) for path in folder.journal.iterdir()),
            ),
        }
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(f"investigation_{name}", text, value)

    def _counters(self) -> Iterable[Metric]:
        totals = self._services.live.totals
        requests = CounterMetricFamily(
            "investigation_ingest_requests", "Requests on disk", labels=["adapter"]
        )
        size = CounterMetricFamily(
            "investigation_ingest_bytes", "Of their bodies, decompressed", labels=["adapter"]
        )
        late = CounterMetricFamily(
            "investigation_ingest_late_records", "Merged, and late", labels=["adapter"]
        )
        warned = CounterMetricFamily(
            "investigation_ingest_warnings", "That senders were told", labels=["adapter"]
        )
        spent = CounterMetricFamily(
            "investigation_ingest_cpu_seconds",
            "Of the processor, by the thread of each stage",
            labels=["stage"],
        )
        for family, counted in (
            (requests, totals.requests),
            (size, totals.size),
            (late, totals.late),
            (warned, totals.warnings),
            (spent, totals.cpu_seconds),
        ):
            for adapter, value in list(counted.items()):
                family.add_metric([adapter], value)
            yield family
        records = CounterMetricFamily(
            "investigation_ingest_records",
            "Merged, by what became of them",
            labels=["adapter", "outcome"],
        )
        for labels, value in list(totals.records.items()):
            records.add_metric(list(labels), value)
        yield records
        for name, text, count in (
            ("journal_syncs", "Of the journal to disk", totals.syncs),
            ("merges", "Of the journal into the store", totals.merges),
            ("merge_failures", "Merges that failed and are tried again", totals.failures),
            ("merge_seconds", "That merges took", totals.merge_seconds),
        ):
            yield CounterMetricFamily(f"investigation_ingest_{name}", text, count)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
