"""Recording what came of a question, whether it was answered or failed."""

from __future__ import annotations

import logging
from dataclasses import replace

from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.inquiry.investigations.service import InvestigationService
from workspace_ext.inquiry.queries.asking import Asking, answer_of
from workspace_ext.inquiry.queries.onward import onward
from workspace_ext.inquiry.queries.tally import Tallied
from workspace_ext.inquiry.templates.library import TemplateLibrary
from workspace_ext.protocol.messages import Answer, TestOutcome
from workspace_ext.protocol.templates import NextStep
from workspace_ext.telemetry.query.model import RunningQuery

_log = logging.getLogger(__name__)


class QueryRecorder:
    """Writes queries into the record and makes the message that goes with their rows.

    Args:
        investigations: Keeps the records.
        templates: The templates that an answer may lead to.
    """

    def __init__(self, investigations: InvestigationService, templates: TemplateLibrary) -> None:
        self._investigations = investigations
        self._templates = templates

    def begin_test(self, asking: Asking) -> None:
        """Notes that the test of a hypothesis begins, if the question is one."""
        request = asking.request
        test, uid = request.get("test"), request.get("investigation")
        if test and uid is not None and asking.question is not None and not asking.refused:
            run = request.get("run") or None
            self._investigations.begin_test(uid, test["hypothesis"], run, asking.principal)

    def answered(
        self,
        asking: Asking,
        running: RunningQuery,
        tallied: Tallied,
        judged: TestOutcome | None,
    ) -> Answer:
        """Records an answer whose rows are all there.

        Args:
            asking: The question.
            running: The query, at its end.
            tallied: What was counted while the rows went by.
            judged: What a condition says of a hypothesis; None where the verdict decides.
        """
        assert asking.question is not None
        template, params = asking.question.template, asking.question.recorded
        steps: list[NextStep] = []
        if template is not None and tallied.rows:
            steps = onward(template, params, tallied.led, self._templates)
        record = replace(
            asking.record(),
            judged=judged,
            compare=running.compare,
            verdict=tallied.verdict,
            rows=tallied.rows,
            digest=tallied.digest,
            unordered_digest=tallied.unordered_digest,
            scan={"tables": [scan.to_dict() for scan in running.scan]},
            kept=tallied.kept,
            aggregates=tallied.aggregates,
        )
        outcome = self._investigations.record_query(
            asking.request.get("investigation"), record, asking.principal
        )
        return answer_of(asking, record, outcome, None, steps)

    def failed(self, asking: Asking, error: InvestigationError) -> Answer:
        """Records that a query failed, before its first rows or half-way."""
        record = replace(asking.record(), ok=False, error=error.message)
        try:
            self.begin_test(asking)
            self._investigations.record_query(
                asking.request.get("investigation"), record, asking.principal
            )
        except InvestigationError:
            _log.exception("a failed query could not be recorded")
        return answer_of(asking, record, None, error)
