"""A question under way: what is known of it, for the record and for whoever asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from workspace_ext.access.model import Principal
from workspace_ext.foundation.canonical import digest_json
from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.foundation.ids import new_id, stable_id
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.inquiry.queries.question import Question
from workspace_ext.inquiry.steps.registry import version
from workspace_ext.inquiry.templates.chart import vega_lite
from workspace_ext.inquiry.templates.model import Template
from workspace_ext.protocol.messages import (
    Answer,
    Compare,
    QueryRequest,
    TestOutcome,
)
from workspace_ext.protocol.templates import NextStep, StepRef

_FAILED: Compare = {"mode": "none", "reason": "the query failed"}


@dataclass
class Asking:
    """A question under way.

    ``behind`` when its pin lacks some of what was accepted before it, ``refused`` when the
    condition of its test cannot be put to its answer.
    """

    request: QueryRequest
    principal: Principal
    at: str
    pin: int
    behind: bool = False
    question: Question | None = None
    refused: bool = False

    def __post_init__(self) -> None:
        self.id = new_id()
        self._started = time.monotonic()

    def record(self) -> QueryRecord:
        """What is known of it whatever its outcome."""
        request, question = self.request, self.question
        template = question.template if question else None
        run, test = request.get("run") or None, request.get("test") or None
        return QueryRecord(
            id=self.id,
            at=self.at,
            title=question.title if question else request.get("template") or "SQL",
            params=question.recorded if question else dict(request.get("params") or {}),
            pin=self.pin,
            compare=_FAILED,
            run=run["id"] if run else None,
            cell=run["cell"] if run else None,
            kernel=self.principal.kernel,
            template=template.ref() if template else None,
            step=_step(template),
            sql=request.get("sql") or None,
            where=request.get("where") or "",
            parent=request.get("parent") or None,
            statement=question.sql if question else "",
            # A question that could not even be put tests nothing.
            test=test if question and not self.refused else None,
            test_id=_test_id(request) if test and question and not self.refused else None,
            elapsed_ms=round((time.monotonic() - self._started) * 1000),
        )


def _step(template: Template | None) -> StepRef | None:
    if template is None or not template.step:
        return None
    return {"name": template.step, "version": version(template.step)}


def answer_of(
    asking: Asking,
    record: QueryRecord,
    outcome: TestOutcome | None,
    error: InvestigationError | None,
    onward: Sequence[NextStep] = (),
) -> Answer:
    """The message that goes with a question's rows."""
    template = asking.question.template if asking.question else None
    return {
        "query": record.id,
        "template": record.template,
        "title": record.title,
        "question": template.question if template else "",
        "params": record.params,
        "pin": record.pin,
        "rows": record.rows,
        "digest": record.digest or "",
        "unordered_digest": record.unordered_digest,
        "verdict": record.verdict
        or {
            "interesting": None,
            "reason": error.message if error else "",
            "rows": record.rows,
            "interesting_rows": 0,
            "warnings": [],
        },
        "compare": record.compare,
        "chart": vega_lite(template) if template else None,
        "next": list(onward),
        "test": outcome,
        "elapsed_ms": record.elapsed_ms,
        "error": error.to_dict() if error else None,
        "columns": dict(template.columns) if template else {},
    }


def _test_id(request: QueryRequest) -> str:
    """Names a test by what was asked, before windows became absolute."""
    test = request["test"]
    asked = [request.get(name) for name in ("template", "sql", "params")]
    return stable_id("query", *(digest_json(part) for part in (*asked, test["expect"])))
