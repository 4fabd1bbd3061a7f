"""A store in a temporary folder, and the data that tests are run on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.catalog.service import Catalog
from workspace_ext.telemetry.ingest.incident import incident_folder
from workspace_ext.telemetry.ingest.model import IngestReport
from workspace_ext.telemetry.ingest.service import IngestService
from workspace_ext.telemetry.migrations import MIGRATIONS

INCIDENT = incident_folder("trainticket")
NOW_NS = 1_700_000_000_000_000_000


@dataclass
class Store:
    """An open store."""

    folder: StoreFolder
    engine: TelemetryEngine
    service: IngestService
    catalog: Catalog

    def ingest(self, path: Path, **options: Any) -> IngestReport:
        return self.service.ingest(path, **options)

    def demo(self, name: str) -> IngestReport:
        """Ingests one file of the sample incident."""
        mapping = (INCIDENT / f"{name}.mapping.yaml").read_text("utf-8")
        return self.service.ingest(INCIDENT / f"{name}.parquet", mapping=mapping)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query over the guarded views, at the newest pin."""
        pin = self.catalog.pin()
        with self.engine.cursor() as cursor:
            cursor.execute(f"SET VARIABLE pin = {pin}")
            return cursor.execute(sql).fetchall()

    def quarantine(self) -> list[tuple[int | None, str]]:
        """Line and reason of all that was rejected."""
        return [(row["line"], row["reason"]) for row in self.catalog.quarantine()]


@contextmanager
def open_store(path: Path) -> Iterator[Store]:
    """Makes or opens the store in a folder, and closes it."""
    folder = StoreFolder.create(path)
    with folder.hold("test"):
        engine = TelemetryEngine(folder, MIGRATIONS, memory_limit="1GB", threads=2)
        try:
            service = IngestService(engine, clock=lambda: NOW_NS)
            yield Store(folder, engine, service, Catalog(engine))
        finally:
            engine.close()
