"""Gathers what a post-mortem is written from: the record, and the telemetry's own events."""

from __future__ import annotations

import threading
from typing import Any

from workspace_ext.foundation.clock import Window, to_rfc3339
from workspace_ext.inquiry.investigations.service import InvestigationService
from workspace_ext.inquiry.versions.service import VersionService
from workspace_ext.practice.review.changes import changes
from workspace_ext.practice.review.postmortem import Facts, postmortem
from workspace_ext.practice.review.service import ReviewService
from workspace_ext.protocol.messages import InvestigationState
from workspace_ext.telemetry.query.runner import QueryRunner

MOST_EVENTS = 200

_EVENTS = """
SELECT time_ns, kind, service, title, state, severity, source FROM events
WHERE time >= make_timestamptz($start::BIGINT) AND time < make_timestamptz($end::BIGINT)
ORDER BY ALL
"""


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
        happened = self._happened(state)
        return postmortem(
            Facts(
                state=state,
                queries=self._investigations.queries(uid),
                review=self._reviews.review(uid),
                cells=self._versions.blame(uid),
                happened=happened[:MOST_EVENTS],
                omitted=max(0, len(happened) - MOST_EVENTS),
                told=changes(self._investigations.entries(uid), state, []),
            )
        )

    def _happened(self, state: InvestigationState) -> list[dict[str, Any]]:
        """Events from the beginning of the baseline on: a deploy comes before what it breaks."""
        windows = [Window.parse(one) for one in (state["window"], state["baseline"]) if one]
        if not windows:
            return []
        start = min(window.start_ns for window in windows)
        end = max(window.end_ns for window in windows)
        rows = self._runner.look(
            _EVENTS,
            {"start": start // 1000, "end": -(-end // 1000)},
            pin=state["pin"],
            limits=self._runner.limits,
            cancelled=threading.Event(),
        )
        found = [row for batch in rows for row in batch.to_pylist()]
        return [{**row, "time": to_rfc3339(row["time_ns"])} for row in found]
