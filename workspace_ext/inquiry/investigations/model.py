"""Recorded queries, and the short form of an investigation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from workspace_ext.protocol.hypotheses import Hypothesis, HypothesisSummary
from workspace_ext.protocol.messages import (
    Compare,
    Expectation,
    InvestigationState,
    InvestigationSummary,
    QuerySummary,
    TemplateRef,
    TestOutcome,
    Verdict,
)
from workspace_ext.protocol.templates import StepRef
from workspace_ext.telemetry.query.model import Scan


@dataclass(frozen=True)
class QueryRecord:
    """One query with all that is needed to ask it again and to compare the answers.

    ``sql`` is set for free SQL only, ``statement`` is what ran; ``params`` are as bound, windows
    absolute. ``verdict`` is None and ``error`` says why when the query failed. ``scan`` tells
    which tables, columns and time window it read: recorded of free SQL, and of a template's
    read from its plan when an archive is made. ``kept`` holds a small result as an Arrow IPC
    stream; it is not read back with the record (see `InvestigationService.kept_result`).
    ``aggregates`` is what is kept instead of a large one; see `telemetry.query.aggregates`.
    ``step`` is the template's Python step with the package that brought it.
    ``where`` is the condition on its answer, ``parent`` the query whose answer led to it.
    ``test`` is what it tests, ``judged`` what came of a condition (None: the verdict decides),
    ``test_id`` names the test: asked the same way again, it is the same one.
    """

    id: str
    at: str
    title: str
    params: dict[str, Any]
    pin: int
    compare: Compare
    verdict: Verdict | None = None
    ok: bool = True
    error: str | None = None
    run: str | None = None
    cell: str | None = None
    kernel: str | None = None
    template: TemplateRef | None = None
    step: StepRef | None = None
    where: str = ""
    parent: str | None = None
    sql: str | None = None
    statement: str = ""
    rows: int = 0
    digest: str | None = None
    unordered_digest: str | None = None
    test: Expectation | None = None
    test_id: str | None = None
    judged: TestOutcome | None = None
    elapsed_ms: int = 0
    scan: dict[str, Any] = field(default_factory=dict)
    kept: bytes | None = field(default=None, repr=False)
    kept_digest: str | None = None
    aggregates: dict[str, Any] | None = None

    @property
    def scans(self) -> tuple[Scan, ...]:
        """What it read, as ``scan`` tells it."""
        return tuple(Scan.from_dict(read) for read in self.scan.get("tables", ()))

    def to_dict(self) -> dict[str, Any]:
        """All of it but the kept result."""
        return {name: value for name, value in asdict(self).items() if name != "kept"}

    def summary(self) -> QuerySummary:
        """The part that the ledger and the panel carry."""
        tested = self.outcome()
        return {
            "id": self.id,
            "run": self.run,
            "cell": self.cell,
            "at": self.at,
            "template": self.template,
            "title": self.title,
            "sql": self.sql,
            "params": self.params,
            "pin": self.pin,
            "rows": self.rows,
            "digest": self.digest,
            "interesting": self.verdict["interesting"] if self.verdict else None,
            "reason": self.verdict["reason"] if self.verdict else "",
            "compare": self.compare,
            "ok": self.ok,
            "error": self.error,
            "hypothesis": self.test["hypothesis"] if self.test else None,
            "outcome": tested["outcome"] if tested else None,
            "where": self.where,
            "parent": self.parent,
        }

    def outcome(self) -> TestOutcome | None:
        """What this query says about the hypothesis it tests; None when it tests none."""
        if self.test is None:
            return None
        if self.judged is not None:
            return self.judged
        expect = self.test["expect"]
        outcome: TestOutcome = {
            "hypothesis": self.test["hypothesis"],
            "expect": expect,
            "outcome": "inconclusive",
            "reason": self.error or "the query failed",
        }
        if not self.ok or self.verdict is None:
            return outcome
        outcome["reason"] = self.verdict["reason"]
        interesting = self.verdict["interesting"]
        if interesting is not None:
            met = interesting == (expect == "interesting")
            outcome["outcome"] = "supported" if met else "refuted"
        return outcome


def path_to(queries: Mapping[str, QueryRecord], query: str) -> list[QueryRecord]:
    """The queries whose answers led to one, the first one first."""
    found: list[QueryRecord] = []
    before = _before(queries, queries.get(query))
    while before is not None and before not in found:
        found.insert(0, before)
        before = _before(queries, before)
    return found


def _before(queries: Mapping[str, QueryRecord], query: QueryRecord | None) -> QueryRecord | None:
    return queries.get(query.parent or "") if query else None


def summary(state: InvestigationState) -> InvestigationSummary:
    """One line of a list."""
    conclusion = state["conclusion"]
    outcome = conclusion["outcome"] if conclusion else None
    return {
        "uid": state["uid"],
        "title": state["title"],
        "severity": state["severity"],
        "state": state["state"],
        "notebook": state["notebook"],
        "opened_at": state["opened_at"],
        "pin": state["pin"],
        "services": state["services"],
        "root_cause": conclusion["root_cause"] if conclusion else None,
        "confidence_percent": conclusion["confidence_percent"] if conclusion else None,
        "correct": outcome["correct"] if outcome else None,
    }


def hypothesis_summary(state: InvestigationState, found: Hypothesis) -> HypothesisSummary:
    """One line of a list of hypotheses."""
    return {
        "investigation": state["uid"],
        "title": state["title"],
        "id": found["id"],
        "text": found["text"],
        "prediction": found["prediction"],
        "prediction_late": found["prediction_late"],
        "state": found["state"],
        "why": found["why"],
        "override": found["override"],
        "evidence": found["evidence"],
        "by": found["by"],
        "at": found["at"],
        "superseded_by": found["superseded_by"],
    }
