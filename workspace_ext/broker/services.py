"""The composition root: the only place that marries the services of one store."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass

from workspace_ext.access.kernels import MIGRATIONS as ACCESS_MIGRATIONS
from workspace_ext.access.kernels import Kernels
from workspace_ext.access.tokens import Tokens
from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.foundation.shipped import shipped
from workspace_ext.inquiry.archive.freeze import Freezer
from workspace_ext.inquiry.archive.needs import Needs
from workspace_ext.inquiry.investigations.service import InvestigationService
from workspace_ext.inquiry.investigations.store import RECORDS_MIGRATIONS
from workspace_ext.inquiry.queries.lineage import Lineage
from workspace_ext.inquiry.queries.provenance import Provenances
from workspace_ext.inquiry.queries.reads import Reads
from workspace_ext.inquiry.queries.service import QueryService
from workspace_ext.inquiry.templates.kept import KeptTemplates
from workspace_ext.inquiry.templates.library import TemplateLibrary, default_paths
from workspace_ext.inquiry.versions.service import VersionService
from workspace_ext.ledger.service import Ledger
from workspace_ext.practice.review.export import PostMortems
from workspace_ext.practice.review.service import ReviewService
from workspace_ext.practice.review.store import MIGRATIONS as REVIEW_MIGRATIONS
from workspace_ext.practice.review.templates import TemplateReviews
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.records import RecordsEngine
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.catalog.lineage import Origins
from workspace_ext.telemetry.catalog.quality import Quality
from workspace_ext.telemetry.catalog.service import Catalog
from workspace_ext.telemetry.ingest.live.service import LiveIngest
from workspace_ext.telemetry.ingest.service import IngestService
from workspace_ext.telemetry.migrations import MIGRATIONS
from workspace_ext.telemetry.query.runner import QueryRunner
from workspace_ext.telemetry.query.scan import PlanReader
from workspace_ext.telemetry.query.slices import SliceSource
from workspace_ext.telemetry.query.syntax import Parser
from workspace_ext.telemetry.retention.service import RetentionService

_MIGRATIONS = {**RECORDS_MIGRATIONS, "review": REVIEW_MIGRATIONS, "access": ACCESS_MIGRATIONS}


@dataclass(frozen=True)
class Services:
    """Everything the routes are over."""

    folder: StoreFolder
    tokens: Tokens
    kernels: Kernels
    telemetry: TelemetryEngine
    records: RecordsEngine
    ledger: Ledger
    catalog: Catalog
    ingest: IngestService
    live: LiveIngest
    templates: TemplateLibrary
    investigations: InvestigationService
    versions: VersionService
    reviews: ReviewService
    template_reviews: TemplateReviews
    postmortems: PostMortems
    runner: QueryRunner
    queries: QueryService
    lineage: Lineage
    provenances: Provenances
    quality: Quality
    archives: Freezer
    retention: RetentionService

    @classmethod
    def open(cls, folder: StoreFolder) -> Services:
        """Opens the store's databases; the folder must be held.

        Raises:
            Damaged: A database is not what was written.
            Conflict: It was made by a newer version.
            Unavailable: It cannot be read or written.
        """
        for leftover in folder.inbox.glob("*.part"):  # of uploads to a broker that was killed
            leftover.unlink(missing_ok=True)
        secret = folder.secret  # may be damaged, which is told before a database is open
        records, telemetry, live = _open_databases(folder)
        kernels = Kernels(records)
        ledger = Ledger(records)
        catalog = Catalog(telemetry, live.flush)
        templates = TemplateLibrary(
            sorted(folder.templates.iterdir()) if folder.sealed else default_paths(folder.path),
            KeptTemplates(folder.used_templates),
        )
        investigations = InvestigationService(ledger, records, catalog)
        versions = VersionService(ledger, records, investigations)
        reviewed = TemplateReviews(ledger, templates, shipped("queries"), sealed=folder.sealed)
        reviews = ReviewService(records, investigations, versions, reviewed)
        runner = QueryRunner(telemetry)
        reads = Reads(templates, PlanReader(Parser()))
        slices, origins = SliceSource(telemetry), Origins(telemetry)
        lineage = Lineage(investigations, reads, origins)
        return cls(
            folder=folder,
            tokens=Tokens(secret, None if folder.sealed else kernels),
            kernels=kernels,
            telemetry=telemetry,
            records=records,
            ledger=ledger,
            catalog=catalog,
            ingest=IngestService(telemetry),
            live=live,
            templates=templates,
            investigations=investigations,
            versions=versions,
            reviews=reviews,
            template_reviews=reviewed,
            postmortems=PostMortems(investigations, versions, reviews, runner),
            runner=runner,
            queries=QueryService(
                runner,
                catalog,
                templates,
                investigations,
                whole=not folder.sealed,
                cautions=reviewed.warnings,
            ),
            quality=Quality(runner, catalog),
            lineage=lineage,
            provenances=Provenances(investigations, lineage),
            archives=Freezer(folder, investigations, reads, slices, origins, reviewed.scripts),
            retention=RetentionService(telemetry, Needs(investigations, reads), catalog.forget),
        )

    def close(self) -> None:
        """Writes everything down and closes the databases."""
        self.queries.close()
        self.runner.close()
        self.live.close()
        with suppress(InvestigationError):  # a disk that is full: some seem idle for longer
            self.kernels.settle()
        try:
            self.telemetry.close()
        finally:
            self.records.close()


def _open_databases(folder: StoreFolder) -> tuple[RecordsEngine, TelemetryEngine, LiveIngest]:
    """All of them, or none is left open."""
    with ExitStack() as opened:
        records = RecordsEngine(folder, _MIGRATIONS)
        opened.callback(records.close)
        telemetry = TelemetryEngine(folder, MIGRATIONS)
        opened.callback(telemetry.close)
        live = LiveIngest(telemetry)
        opened.pop_all()
    return records, telemetry, live
