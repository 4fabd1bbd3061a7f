"""Telling a workspace what became of its archive: each cell's verdict, for its record."""

from __future__ import annotations

from pathlib import Path

from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import NotFound
from workspace_ext.foundation.ids import stable_id
from workspace_ext.inquiry.archive.model import ReplayReport
from workspace_ext.inquiry.archive.reader import Archive
from workspace_ext.protocol.events import event


def require_origin(path: Path, client: BrokerClient) -> None:
    """Refuses an archive of an investigation that the workspace does not have, before its replay.

    Args:
        path: The archive.
        client: The workspace's broker.

    Raises:
        NotFound: The investigation is in another workspace.
        InvestigationError: The archive cannot be read.
    """
    with Archive(path) as archive:
        uid = archive.manifest.investigation
    try:
        client.state(uid)
    except NotFound as error:
        raise NotFound(
            f"{path} is of investigation {uid}, which is not in this store",
            hint="give --store the folder it was made in, or leave it out",
            code="other_store",
        ) from error


def tell(report: ReplayReport, client: BrokerClient, actor: Actor) -> bool:
    """Records a replay in its investigation.

    Args:
        report: What it gave.
        client: The workspace's broker.
        actor: Who replayed.

    Returns:
        Whether it was recorded: what a changed archive gives says nothing about the record.

    Raises:
        BadInput: The workspace has the investigation, but did not make this archive.
    """
    if report.problems:
        return False
    runs = {cell.run: cell.verdict for cell in report.cells if cell.run is not None}
    replayed = event(
        "archive.replayed",
        report.investigation,
        {"archive": report.entry, "verdict": report.verdict, "runs": runs},
        event_id=stable_id("archive.replayed", report.entry, report.replayed_at),
        actor=str(actor),
    )
    client.report(report.investigation, [replayed])
    return True
