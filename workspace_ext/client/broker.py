"""The broker's routes as methods: the one door to telemetry and records."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

from urllib3.exceptions import HTTPError

from workspace_ext.client.answers import AnswerStream, QueryResult
from workspace_ext.client.calls import investigation as _investigation
from workspace_ext.client.calls import part as _part
from workspace_ext.client.events import EventStream
from workspace_ext.client.lease import Lease
from workspace_ext.client.reviews import ReviewCalls
from workspace_ext.client.upload import Progress, read_report, send_file
from workspace_ext.foundation.actor import system_user
from workspace_ext.protocol.archives import ArchiveWishes
from workspace_ext.protocol.hypotheses import HypothesisSummary
from workspace_ext.protocol.messages import (
    EventIn,
    FunctionTest,
    InvestigationState,
    LedgerEntry,
    NotebookProjection,
    QueryRequest,
    TestOutcome,
    VersionIn,
)
from workspace_ext.protocol.provenance import Provenance
from workspace_ext.protocol.templates import TemplateInfo, TemplateProblem

HEALTH_SECONDS = 5.0
"""Who lives says so at once."""

SILENCE_SECONDS = 20.0
"""The broker says something on every open stream far more often than this."""


class BrokerClient(ReviewCalls):
    """Talks to one broker. Safe to share between threads; errors are those the broker raised.

    Args:
        address: As in ``http://127.0.0.1:40123``.
        token: The service's or a kernel's.
    """

    # -- the broker itself -------------------------------------------------------------------

    def health(self) -> dict[str, Any]:
        """Who answers: status, instance, store, pid, version, leases."""
        return self._json("GET", "/v1/health", seconds=HEALTH_SECONDS)

    def lease(self) -> Lease:
        """Keeps the broker from leaving for as long as the lease is held."""
        response = self._transport.open("GET", "/v1/lease", seconds=SILENCE_SECONDS)
        return Lease(response)

    def release(self, lease: Lease) -> bool:
        """Gives a lease back; True when the broker leaves now because nobody else uses it."""
        answer = self._json("POST", "/v1/release", body={"lease": lease.id})
        return bool(answer["leaving"])

    def token(self, kernel: str, *, user: str, notebook: str = "") -> str:
        """A kernel's token: for queries and reports in that user's name (service only)."""
        body = {"kernel": kernel, "user": user, "notebook": notebook}
        return str(self._json("POST", "/v1/tokens", body=body)["token"])

    def revoke_tokens(self, kernels: Collection[str]) -> None:
        """Ends the tokens of kernels that are gone (service only)."""
        self._json("POST", "/v1/tokens/revoke", body={"kernels": list(kernels)})

    # -- queries and data --------------------------------------------------------------------

    def query(self, request: QueryRequest) -> QueryResult:
        """Asks, and waits for all rows."""
        with self.query_stream(request) as stream:
            return stream.read_all()

    def query_stream(self, request: QueryRequest) -> AnswerStream:
        """Asks, and hands out the rows as they come."""
        response = self._transport.open(
            "POST", "/v1/queries", body=json.dumps(request).encode(), seconds=None
        )
        return AnswerStream(response, self._transport.broken)

    def ingest(
        self,
        path: Path,
        *,
        name: str | None = None,
        format: str | None = None,  # noqa: A002 # the word users know
        mapping: str | None = None,
        actor: str | None = None,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Sends a file to the store and returns the report of what came of it.

        Args:
            path: The file.
            name: What the store calls it; the file's name when None.
            format: Its format; found out when None.
            mapping: The mapping's YAML text, for CSV, Parquet and JSON lines.
            actor: Who does this, as in ``user:alice``; the operating system's user when None.
            progress: Told first the bytes sent, then how far the broker is.

        Raises:
            NotFound: No such file.
            BadInput: Nothing in it can be read.
        """
        query = {
            "name": name or os.fsencode(path.name).decode(errors="replace"),
            "format": format,
            "mapping": mapping,
            "actor": actor or str(system_user()),
        }
        return read_report(
            self._transport, send_file(self._transport, path, query, progress), progress
        )

    def catalog(self) -> dict[str, Any]:
        """What is in the store: rows and times per signal, services, tables, pin."""
        return self._json("GET", "/v1/catalog")

    def batches(self, *, limit: int = 100) -> list[dict[str, Any]]:
        """The batches ingested last."""
        return self._list("GET", "/v1/catalog/batches", query={"limit": limit})

    def quarantine(self, *, limit: int = 100) -> list[dict[str, Any]]:
        """The records refused last, and why."""
        return self._list("GET", "/v1/catalog/quarantine", query={"limit": limit})

    def happenings(
        self,
        window: str | None = None,
        *,
        pin: int | None = None,
        kind: str | None = None,
        limit: int = 1000,
    ) -> list[dict[str, Any]]:
        """Alerts, deploys and other events that touch a window, the newest first.

        Args:
            window: As ``START/END``; all there is when None.
            pin: The highest batch that counts; the newest when None.
            kind: The only kind wanted, as in ``alert``.
            limit: So many at most; the broker gives at most 1,000.
        """
        query = {"window": window, "pin": pin, "kind": kind, "limit": limit}
        return self._list("GET", "/v1/catalog/events", query=query)

    def services(self, *, pin: int | None = None) -> list[dict[str, Any]]:
        """All services: owner, tier, lifecycle from the service catalog, and what each sends."""
        return self._list("GET", "/v1/catalog/services", query={"pin": pin})

    def quality(
        self, window: str | None = None, *, service: str | None = None, pin: int | None = None
    ) -> dict[str, Any]:
        """How far the data of a window can be trusted, by signal and service.

        Args:
            window: As ``START/END``; the hour up to the newest record when None.
            service: The only one wanted.
            pin: The highest batch that counts; the newest when None.
        """
        query = {"window": window, "service": service, "pin": pin}
        return self._json("GET", "/v1/catalog/quality", query=query, seconds=None)

    def lineage(self, query: str) -> dict[str, Any]:
        """Where the answer to a recorded query comes from: what it read, batches, sources."""
        return self._json("GET", f"/v1/queries/{_part(query)}/lineage", seconds=None)

    def status(self) -> dict[str, Any]:
        """What an on-call asks first: lag, failures, sizes, free disk, newest record."""
        return self._json("GET", "/v1/status")

    def retention(self) -> dict[str, Any]:
        """The store's policy, when it was applied last, and what the last run removed."""
        return self._json("GET", "/v1/retention")

    def retain(
        self, policy: Mapping[str, Any], *, dry_run: bool = False, actor: str | None = None
    ) -> dict[str, Any]:
        """Removes what is too old or too much, but for what investigations need.

        Args:
            policy: ``older_than`` as in "30d", ``larger_than`` as in "50GB", ``even_unarchived``.
            dry_run: Whether only to say what would go.
            actor: Who does this; the operating system's user when None.

        Returns:
            What went, and what was spared for whom.

        Raises:
            BadInput: The policy is wrong.
        """
        body = {**policy, "dry_run": dry_run, "actor": actor or str(system_user())}
        return self._json("POST", "/v1/retention", body=body, seconds=None)

    def keep_policy(
        self, policy: Mapping[str, Any] | None, *, actor: str | None = None
    ) -> dict[str, Any]:
        """Makes a policy the store's own: its broker applies it every hour. None ends that."""
        body = {**(policy or {}), "actor": actor or str(system_user())}
        return self._json("POST", "/v1/retention/policy", body=body)

    def templates(self) -> list[TemplateInfo]:
        """All query templates."""
        return cast("list[TemplateInfo]", self._list("GET", "/v1/templates"))

    def template(self, template: str, *, version: int | None = None) -> TemplateInfo:
        """One query template, with its parameters."""
        path, query = f"/v1/templates/{_part(template)}", {"version": version}
        return cast("TemplateInfo", self._json("GET", path, query=query))

    def template_problems(self) -> list[TemplateProblem]:
        """Why template files are left out: each problem with its file and line."""
        return cast("list[TemplateProblem]", self._list("GET", "/v1/templates/problems"))

    def template_picture(self, template: str) -> bytes:
        """A picture of an example result, as SVG.

        Raises:
            NotFound: There is no such template, or none of it.
        """
        return self._transport.content("GET", f"/v1/templates/{_part(template)}/picture")

    # -- investigations ----------------------------------------------------------------------

    def open_investigation(self, title: str, **details: object) -> InvestigationState:
        """Opens one.

        Args:
            title: What it is about.
            details: severity, window, baseline, services, pin, notebook, actor.
        """
        body = {"title": title, **details}
        return cast(InvestigationState, self._json("POST", "/v1/investigations", body=body))

    def investigations(self) -> list[dict[str, Any]]:
        """All of them, in short."""
        return self._list("GET", "/v1/investigations")

    def state(self, uid: str) -> InvestigationState:
        """Everything known about one."""
        return cast(InvestigationState, self._json("GET", _investigation(uid)))

    def projection(self, uid: str) -> NotebookProjection:
        """What belongs into its notebook's metadata."""
        return cast(NotebookProjection, self._json("GET", _investigation(uid, "notebook")))

    def report(self, uid: str, events: Sequence[EventIn]) -> dict[str, Any]:
        """Reports what happened; repeating a report adds nothing. Returns what changed."""
        return self._json("POST", _investigation(uid, "events"), body=list(events))

    def report_test(self, uid: str, test: FunctionTest) -> TestOutcome:
        """Reports what a function found out about a hypothesis; the broker says what it means."""
        return cast(TestOutcome, self._json("POST", _investigation(uid, "tests"), body=test))

    def hypotheses(
        self, text: str = "", *, state: str | None = None, limit: int = 100
    ) -> list[HypothesisSummary]:
        """The hypotheses of all investigations that have these words, the newest first."""
        query = {"text": text or None, "state": state, "limit": limit}
        return cast("list[HypothesisSummary]", self._list("GET", "/v1/hypotheses", query=query))

    def entries(self, uid: str, *, after: int = 0, limit: int = 1000) -> list[LedgerEntry]:
        """Its ledger, from after a sequence number on."""
        query = {"after": after, "limit": limit}
        found = self._list("GET", _investigation(uid, "events"), query=query)
        return cast("list[LedgerEntry]", found)

    def follow(self, uid: str) -> EventStream:
        """One connection's events: first ``state``, then a ``delta`` for each change.

        It ends when the broker stops; whoever still wants to know calls again and gets a
        fresh ``state``.
        """
        response = self._transport.open(
            "GET", _investigation(uid, "stream"), seconds=SILENCE_SECONDS
        )
        return EventStream(response, self._transport.broken)

    def follow_data(self) -> EventStream:
        """One connection's events about the store: ``state`` and ``delta``s with the newest pin."""
        response = self._transport.open("GET", "/v1/catalog/stream", seconds=SILENCE_SECONDS)
        return EventStream(response, self._transport.broken)

    def environment(self, uid: str) -> dict[str, Any] | None:
        """What the kernel ran with that was started last; None when no kernel told."""
        found: dict[str, Any] | None
        found = self._json("GET", _investigation(uid, "environment"))["environment"]
        return found

    def recorded_query(self, uid: str, query: str) -> dict[str, Any]:
        """A recorded query, whole but for its rows."""
        return self._json("GET", _investigation(uid, f"queries/{_part(query)}"))

    def kept_result(self, uid: str, query: str) -> bytes:
        """The kept rows of a recorded query, as an Arrow IPC stream."""
        return self._transport.content("GET", _investigation(uid, f"queries/{_part(query)}/result"))

    def provenance(self, uid: str, query: str) -> Provenance:
        """All that stands behind the answer to a query of an investigation."""
        path = _investigation(uid, f"queries/{_part(query)}/provenance")
        return cast(Provenance, self._json("GET", path, seconds=None))

    def archive(
        self,
        uid: str,
        notebook: Mapping[str, Any],
        target: IO[bytes],
        *,
        actor: str | None = None,
        wishes: ArchiveWishes | None = None,
    ) -> None:
        """Writes an archive: the investigation frozen together with this notebook.

        Args:
            uid: The investigation.
            notebook: Its notebook's content.
            target: Where to write.
            actor: Who freezes it; the caller's own when None.
            wishes: How large its slices may be, and what else to redact.
        """
        response = self._transport.open(
            "POST",
            _investigation(uid, "archive"),
            query={"actor": actor},
            body=json.dumps({"notebook": notebook, "wishes": wishes or {}}).encode(),
            seconds=None,
        )
        try:
            shutil.copyfileobj(response, target)
        except HTTPError as error:
            raise self._transport.broken(error) from error
        finally:
            response.close()

    # -- versions ----------------------------------------------------------------------------

    def save_version(self, uid: str, version: VersionIn) -> dict[str, Any]:
        """Keeps a saved notebook; the version, with ``new`` False when nothing changed.

        Raises:
            Conflict: Parts are neither sent nor kept; send all of them.
        """
        return self._json("POST", _investigation(uid, "versions"), body=version)

    def versions(
        self, uid: str, *, before: int | None = None, limit: int = 100
    ) -> list[dict[str, Any]]:
        """The saved versions of an investigation's notebook, the newest first."""
        query = {"before": before, "limit": limit}
        return self._list("GET", _investigation(uid, "versions"), query=query)

    def version(self, uid: str, revision: int | None = None) -> dict[str, Any]:
        """``{version, notebook}`` of a revision, the newest when None."""
        named = "newest" if revision is None else str(revision)
        return self._json("GET", _investigation(uid, f"versions/{named}"))

    def cell_versions(self, uid: str, cell: str) -> list[dict[str, Any]]:
        """Who changed a cell, when and why, the newest first."""
        return self._list("GET", _investigation(uid, f"cells/{_part(cell)}/versions"))

    def blame(self, uid: str) -> list[dict[str, Any]]:
        """Who last changed and who last ran each cell of the newest version."""
        return self._list("GET", _investigation(uid, "blame"))

    def recovered(self, uid: str) -> dict[str, Any]:
        """A notebook of all cells that were ever saved or run."""
        return self._json("GET", _investigation(uid, "recovered"))

    def notebooks(self) -> list[dict[str, Any]]:
        """All files that have versions: ``investigation, path, revision, at`` of the newest."""
        return self._list("GET", "/v1/notebooks")

    def verify(self, uid: str | None = None) -> dict[str, Any]:
        """Checks the ledger's chains: all, or one investigation's."""
        return self._json("GET", "/v1/ledger/verify", query={"stream": uid}, seconds=None)
