"""Ingest with its record: every file in the store stands in the ledger, once.

Live data comes in a batch a second and stands in the catalog only.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workspace_ext.broker.services import Services
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import BadInput, InvestigationError
from workspace_ext.inquiry.archive.incident import MAPPING, SOURCE, incident, symptoms
from workspace_ext.ledger.service import STORE_STREAM

_log = logging.getLogger(__name__)

_LATEST = 5
_CATALOG_ONLY = {
    "adapter_version", "received_at", "requests", "records", "kept", "late", "ahead"
}  # fmt: skip


def ingest(
    services: Services,
    path: Path,
    query: Mapping[str, str],
    actor: Actor,
    progress: Callable[[int, int | None], None],
) -> dict[str, Any]:
    """Ingests a file and records it; returns the report.

    Args:
        services: The store's services.
        path: The file.
        query: Its ``name``, ``format`` and ``mapping``.
        actor: Who ingests it.
        progress: Told how far it is.

    Raises:
        BadInput: Nothing in it can be read.
    """
    report = services.ingest.ingest(
        path,
        name=query.get("name", "upload"),
        format=query.get("format"),
        mapping=query.get("mapping"),
        progress=progress,
    ).to_dict()
    _record(services, {**report, "already": False}, actor)
    return report


def tell_incident(services: Services, uid: str) -> None:
    """Keeps a concluded investigation as an event, for whoever looks for similar incidents.

    It goes before the answer to who asked for the archive: when the broker dies between, that
    person has no archive and asks again. An investigation that goes on reads up to its pin, and
    so does not see the new batch. What cannot be told is no reason to give no archive; it is
    logged, and told with the next one. Stores made from archives are told nothing.
    """
    if services.folder.sealed:
        return
    try:
        state = services.investigations.state(uid)
        entries = services.investigations.entries(uid)
        content = incident(state, entries, symptoms(services.runner, state))
        if content is None:
            return
        with tempfile.TemporaryDirectory(dir=services.folder.spill) as folder:
            path = Path(folder) / "incident.jsonl"
            path.write_bytes(content)
            query = {"name": f"{SOURCE} {uid}", "format": "jsonl", "mapping": MAPPING}
            ingest(services, path, query, Actor("service", "jupyter-investigation"), _unwatched)
    except (InvestigationError, OSError) as error:
        _log.warning("the incident of investigation %s is not told: %s", uid, error)


def _unwatched(done: int, total: int | None) -> None:
    """Nobody waits for a file of one line."""


def record_latest(services: Services) -> None:
    """Records what a broker that was killed had committed and not yet recorded."""
    latest = services.catalog.batches(_LATEST, files=True)
    with services.ledger.batch() as batch:
        missing = [each for each in latest if batch.find(STORE_STREAM, _event(each)) is None]
    for found in reversed(missing):
        each = {name: value for name, value in found.items() if name not in _CATALOG_ONLY}
        try:
            _record(services, each, Actor("service", "jupyter-investigation"))
        except BadInput as error:  # the data is there all the same
            _log.warning("batch %s cannot be recorded: %s", each["batch_id"], error.message)


def _record(services: Services, report: Mapping[str, Any], actor: Actor) -> None:
    services.investigations.record_ingest(report, actor, event_id=_event(report))


def _event(report: Mapping[str, Any]) -> str:
    return f"batch-{report['batch_id']}"
