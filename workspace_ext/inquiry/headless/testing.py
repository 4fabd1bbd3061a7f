"""All tests of a notebook's hypotheses, run headless: what passed, and which claims hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.actor import Actor
from workspace_ext.inquiry.headless.model import RunOptions, RunReport, Watch
from workspace_ext.inquiry.headless.runner import run_notebook
from workspace_ext.inquiry.investigations.lifecycle import PUBLISHED, standing
from workspace_ext.inquiry.metadata.notebook import read_uid
from workspace_ext.protocol.hypotheses import Hypothesis, HypothesisTest
from workspace_ext.protocol.messages import InvestigationState

Status = Literal["passed", "failed", "inconclusive", "not run"]

_STATUS: dict[str, Status] = {
    "supported": "passed",
    "refuted": "failed",
    "inconclusive": "inconclusive",
}


@dataclass(frozen=True)
class Trial:
    """One test of one hypothesis in this run; ``query`` is None for a Python function."""

    id: str
    name: str
    expect: str
    status: Status
    why: str
    judge: str
    query: str | None
    cell: str | None
    seconds: float


@dataclass(frozen=True)
class Claim:
    """A hypothesis and its tests.

    Attributes:
        published: It is held up as true, or was before this run.
        holds: Whether its tests show that; None where it is not published or has no test.
        override: Why it is published although they do not; then it counts as holding.
    """

    id: str
    text: str
    prediction: str
    prediction_late: bool
    state: str
    published: bool
    holds: bool | None
    override: str
    why: str
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class TrialReport:
    """What became of a notebook's tests."""

    notebook: str
    run: RunReport
    claims: tuple[Claim, ...]

    @property
    def ok(self) -> bool:
        """Whether every cell ran and all published claims hold."""
        return self.run.ok and all(claim.holds is not False for claim in self.claims)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"ok": self.ok, **asdict(self)}


def try_notebook(
    notebook: Any,
    client: BrokerClient,
    *,
    path: Path,
    actor: Actor,
    options: RunOptions,
    watch: Watch | None = None,
) -> TrialReport:
    """Runs a notebook, also past cells that fail, and says what became of its hypotheses.

    Arguments and errors as in `runner.run_notebook`.
    """
    uid = read_uid(notebook)
    before = client.state(uid) if uid in _uids(client) and uid is not None else None
    run = run_notebook(notebook, client, path=path, actor=actor, options=options, watch=watch)
    after = client.state(run.investigation)
    return TrialReport(path.name, run, tuple(claims_of(before, after)))


def claims_of(before: InvestigationState | None, after: InvestigationState) -> Iterator[Claim]:
    """The hypotheses after a run, with the tests that ran in it.

    Args:
        before: The investigation before the run; None when the run began it.
        after: The investigation after it.
    """
    begun = before["seq"] if before else 0
    runs = {step["id"] for step in after["steps"].values() if step["seq"] > begun}
    for key, found in after["hypotheses"].items():
        trials = tuple(_trial(test, runs) for test in standing(found["tests"]))
        if found["superseded_by"] is None or any(each.status != "not run" for each in trials):
            earlier = before["hypotheses"].get(key) if before else None
            yield _claim(found, earlier, trials)


def _claim(found: Hypothesis, earlier: Hypothesis | None, trials: tuple[Trial, ...]) -> Claim:
    published = found["state"] in PUBLISHED or (
        earlier is not None and earlier["state"] in PUBLISHED
    )
    override = found["override"] or (earlier["override"] if earlier else "")
    holds, why = _holds(trials, override=override) if published else (None, found["why"])
    return Claim(
        found["id"],
        found["text"],
        found["prediction"],
        found["prediction_late"],
        found["state"],
        published,
        holds,
        override,
        why,
        trials,
    )


def _holds(trials: tuple[Trial, ...], *, override: str) -> tuple[bool | None, str]:
    wrong = [each for each in trials if each.status != "passed"]
    if override:
        return True, f"published despite its tests: {override}"
    if wrong:
        return False, "; ".join(f"{each.name} {each.status}: {each.why}" for each in wrong)
    return (True, "all its tests passed") if trials else (None, "judged by hand; it has no test")


def _trial(test: HypothesisTest, runs: set[str]) -> Trial:
    ran = test["run"] in runs
    return Trial(
        test["id"],
        test["name"],
        test["expect"],
        _STATUS[test["outcome"]] if ran else "not run",
        test["reason"] if ran else "no cell of the notebook ran it",
        test["judge"],
        test["query"],
        test["cell"],
        test["elapsed_ms"] / 1000,
    )


def _uids(client: BrokerClient) -> set[str]:
    return {each["uid"] for each in client.investigations()}
