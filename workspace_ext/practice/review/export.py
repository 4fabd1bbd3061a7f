"""Gathers what a post-mortem is written from: the record, and the telemetry's own events.

From a store, or from an archive alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import pyarrow.parquet as pq

from workspace_ext.foundation.clock import Window, to_rfc3339
from workspace_ext.inquiry.archive.container import NOTEBOOK, slice_path
from workspace_ext.inquiry.archive.reader import Archive
from workspace_ext.inquiry.investigations.service import InvestigationService
from workspace_ext.inquiry.metadata.notebook import uids_of
from workspace_ext.inquiry.versions.service import VersionService
from workspace_ext.practice.review.changes import changes
from workspace_ext.practice.review.fold import fold
from workspace_ext.practice.review.postmortem import Facts, postmortem
from workspace_ext.practice.review.service import ReviewService
from workspace_ext.protocol.messages import InvestigationState
from workspace_ext.telemetry.query.runner import QueryRunner

_SHOWN = ("time_ns", "kind", "service", "title", "state", "severity", "source")
_EVENTS = f"""
SELECT {", ".join(_SHOWN)} FROM events
WHERE time >= make_timestamptz($start::BIGINT) AND time < make_timestamptz($end::BIGINT)
ORDER BY ALL
"""  # noqa: S608 - our own names


class PostMortems:
    """Writes investigations down for people who were not there.

    Args:
        investigations: The record.
        versions: The notebook as it was saved.
        reviews: How the review stands.
        runner: Asks the telemetry for alerts, deploys and other events.
    """

    def __init__(
        self,
        investigations: InvestigationService,
        versions: VersionService,
        reviews: ReviewService,
        runner: QueryRunner,
    ) -> None:
        self._investigations = investigations
        self._versions = versions
        self._reviews = reviews
        self._runner = runner

    def markdown(self, uid: str) -> str:
        """The post-mortem of an investigation; the same state gives the same text.

        Raises:
            NotFound: There is no such investigation.
            LimitExceeded: The telemetry's events took too long to find.
        """
        state = self._investigations.state(uid)
        return postmortem(
            Facts(
                state=state,
                queries=self._investigations.queries(uid),
                review=self._reviews.review(uid),
                cells=[line["uid"] for line in self._versions.blame(uid)],
                happened=self._happened(state),
                told=changes(self._investigations.entries(uid), state, []),
            )
        )

    def _happened(self, state: InvestigationState) -> list[dict[str, Any]]:
        """Events from the beginning of the baseline on: a deploy comes before what it breaks."""
        around = _around(state)
        if around is None:
            return []
        rows = self._runner.look(
            _EVENTS,
            {"start": around.start_ns // 1000, "end": -(-around.end_ns // 1000)},
            pin=state["pin"],
            limits=self._runner.limits,
            cancelled=threading.Event(),
        )
        return _timed(row for batch in rows for row in batch.to_pylist())


def of_archive(archive: Archive) -> str:
    """The post-mortem of an archived investigation: what was redacted there is not in it.

    Raises:
        Damaged: Something in it was changed, or cannot be understood.
    """
    archive.require_whole()
    with archive.understood():
        state, entries = archive.state(), archive.ledger()
        missing = archive.manifest.missing.items()
        return postmortem(
            Facts(
                state=state,
                queries=archive.queries(),
                review=fold(entries).to_review(state["uid"]),
                cells=uids_of(archive.read_json(NOTEBOOK)["cells"]),
                happened=_read_of(archive, state),
                told=changes(entries, state, []),
                archive=True,
                remarks=[
                    *archive.manifest.unreviewed,
                    *(f"{path} is missing: {why}" for path, why in missing),
                ],
            )
        )


def _read_of(archive: Archive, state: InvestigationState) -> list[dict[str, Any]]:
    """The events of an archive, as `_EVENTS` finds them in a store."""
    around, path = _around(state), slice_path("events")
    if around is None or not archive.has(path):
        return []
    rows = pq.read_table(BytesIO(archive.read(path))).to_pylist()
    found = [
        {name: row.get(name) for name in _SHOWN}
        for row in rows
        if around.start_ns <= row["time_ns"] < around.end_ns
    ]
    found.sort(key=lambda row: [(row[name] is None, row[name]) for name in _SHOWN])
    return _timed(found)


def _around(state: InvestigationState) -> Window | None:
    windows = [Window.parse(one) for one in (state["window"], state["baseline"]) if one]
    if not windows:
        return None
    start = min(window.start_ns for window in windows)
    return Window(start, max(window.end_ns for window in windows))


def _timed(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "time": to_rfc3339(row["time_ns"])} for row in rows]
