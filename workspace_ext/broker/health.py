"""What the services know of their own health, read when Prometheus asks."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from workspace_ext.broker.services import Services
from workspace_ext.foundation.clock import now_ns, parse_rfc3339, to_rfc3339
from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.storage.files import size_of
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.telemetry.catalog.totals import totals
from workspace_ext.telemetry.ingest.live.service import LiveIngest

_log = logging.getLogger(__name__)


class LiveHealth(Collector):
    """Of live ingest."""

    def __init__(self, live: LiveIngest) -> None:
        self._live = live

    def collect(self) -> Iterable[Metric]:
        """The families."""
        yield from self._counters()
        live = self._live
        for name, text, value in (
            ("held_bytes", "Size of what is accepted and not merged yet", live.held_bytes),
            ("waiting_requests", "Requests that wait for the disk", live.waiting),
            ("lag_seconds", "Age of the oldest record not merged yet", live.lag_seconds),
            ("failing", "1 while merges fail", float(live.failed is not None)),
        ):
            yield GaugeMetricFamily(f"investigation_ingest_{name}", text, value)

    def _counters(self) -> Iterable[Metric]:
        totals = self._live.totals
        for name, text, label, counted in (
            ("requests", "Requests that are on disk", "adapter", totals.requests),
            ("bytes", "Size of request bodies, decompressed", "adapter", totals.size),
            ("late_records", "Records merged that came late", "adapter", totals.late),
            ("warnings", "Warnings that senders were told", "adapter", totals.warnings),
            ("cpu_seconds", "Processor time of each stage's thread", "stage", totals.cpu_seconds),
        ):
            yield _counter(f"ingest_{name}", text, label, counted)
        records = CounterMetricFamily(
            "investigation_ingest_records",
            "Records merged, by what became of them",
            labels=["adapter", "outcome"],
        )
        for labels, value in list(totals.records.items()):
            records.add_metric(list(labels), value)
        yield records
        for name, text, count in (
            ("journal_syncs", "Syncs of the journal to disk", totals.syncs),
            ("merges", "Merges of the journal into the store", totals.merges),
            ("merge_failures", "Merges that failed and are tried again", totals.failures),
            ("merge_seconds", "Time that merges took", totals.merge_seconds),
        ):
            yield CounterMetricFamily(f"investigation_ingest_{name}", text, count)


class StoreHealth(Collector):
    """Of the store."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._told: tuple[int, list[Metric]] | None = None

    def collect(self) -> Iterable[Metric]:
        """The families; when the store cannot be read, those that tell so."""
        folder = self._services.folder
        yield _gauge("store_size_bytes", "Size of the store's files", "part", _sizes(folder))
        free = shutil.disk_usage(folder.path).free
        yield GaugeMetricFamily(
            "investigation_store_free_bytes", "Room left on the store's disk", free
        )
        yield _gauge(
            "store_segments",
            "Sealed Parquet files for free SQL",
            "table",
            {path.name: len(list(path.glob("*.parquet"))) for path in folder.segments.iterdir()},
        )
        try:
            families = self._of_the_tables()
        except InvestigationError as error:
            _log.warning("the store cannot tell of its health: %s", error.message)
            families = []
        text = "1 while the store can be read"
        yield GaugeMetricFamily("investigation_store_readable", text, float(bool(families)))
        yield from families

    def _of_the_tables(self) -> list[Metric]:
        """They are asked once for each commit, however often Prometheus comes."""
        commits = self._services.telemetry.commits
        told = self._told
        if told is None or told[0] != commits:
            told = self._told = commits, [*self._contents(), *self._history()]
        return told[1]

    def _contents(self) -> Iterable[Metric]:
        signals = self._services.catalog.overview()["signals"]
        rows = {name: of["rows"] for name, of in signals.items()}
        yield _gauge("store_rows", "Records in the store", "signal", rows)
        for which, key in (("oldest", "first_time"), ("newest", "last_time")):
            times = {name: parse_rfc3339(of[key]) / 1e9 for name, of in signals.items() if of[key]}
            yield _gauge(
                f"store_{which}_record_timestamp_seconds",
                f"Time of the {which} record",
                "signal",
                times,
            )

    def _history(self) -> Iterable[Metric]:
        found = totals(self._services.telemetry)
        yield GaugeMetricFamily(
            "investigation_store_batches", "Batches in the store", found.batches
        )
        yield _counter(
            "store_quarantined_records",
            "Records put aside, of all batches",
            "adapter",
            found.quarantined,
        )
        yield _counter(
            "retention_removed_rows", "Rows that retention removed", "signal", found.removed
        )
        if found.removed_at is not None:
            yield GaugeMetricFamily(
                "investigation_retention_last_removal_timestamp_seconds",
                "When retention removed something last",
                found.removed_at,
            )


def told(services: Services) -> dict[str, Any]:
    """The same in short, for people."""
    live, folder = services.live, services.folder
    times = [
        of["last_time"] for of in services.catalog.overview()["signals"].values() if of["last_time"]
    ]
    return {
        "now": to_rfc3339(now_ns()),
        "newest_record": max(times, key=parse_rfc3339, default=None),
        "lag_seconds": live.lag_seconds,
        "held_bytes": live.held_bytes,
        "failing": None if live.failed is None else live.failed.message,
        "merge_failures": live.totals.failures,
        "refused": dict(live.totals.refused),
        "sizes": _sizes(folder),
        "free_bytes": shutil.disk_usage(folder.path).free,
    }


def _gauge(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    return _filled(GaugeMetricFamily(f"investigation_{name}", text, labels=[label]), values)


def _counter(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    return _filled(CounterMetricFamily(f"investigation_{name}", text, labels=[label]), values)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, values: Mapping[str, float]) -> Metric:
    for value, number in list(values.items()):  # other threads count on
        family.add_metric([value], number)
    return family


def _sizes(folder: StoreFolder) -> dict[str, int]:
    def within(pattern: str) -> int:
        return sum(size_of(path) for path in folder.path.glob(pattern))

    return {
        "telemetry": within("telemetry.duckdb*"),
        "records": within("records.sqlite*"),
        "journal": within("journal/*"),
        "segments": within("segments/*/*"),
        "spill": within("spill/**/*"),
    }
