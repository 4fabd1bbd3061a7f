"""What is said of a cell and of a claim, by how its run and its queries ended then and now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from workspace_ext.foundation.canonical import digest_text
from workspace_ext.inquiry.archive.claims import Claims
from workspace_ext.inquiry.archive.model import CellReplay
from workspace_ext.inquiry.archive.verdicts import Captured, Replayed, judge_cells
from workspace_ext.inquiry.archive.wording import claim
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.protocol.hypotheses import Hypothesis, HypothesisTest
from workspace_ext.protocol.messages import InvestigationState, Step, Verdict

SOURCE = "ask()"
Status = Literal["running", "ok", "error", "aborted", "unknown"]


def query(name: str, **how: Any) -> QueryRecord:
    verdict: Verdict = {
        "interesting": True,
        "reason": "cart: 250 ms",
        "rows": 1,
        "interesting_rows": 1,
        "warnings": [],
    }
    asked = QueryRecord(
        name,
        "2024-05-01T10:00:00Z",
        "SQL",
        {},
        1,
        {"mode": "ordered", "reason": "its order is fixed"},
        verdict=verdict,
        sql="SELECT 1",
        run="r1",
        cell="a",
        rows=1,
        digest="sha256:1",
    )
    return replace(asked, **how)


def step(name: str, *queries: str, status: Status = "ok", **how: Any) -> Step:
    return {
        "id": name,
        "seq": how.get("seq", 1),
        "cell": how.get("cell", "a"),
        "kernel": None,
        "by": "user:alice",
        "started": "2024-05-01T10:00:00Z",
        "ended": None,
        "status": status,
        "error": how.get("error"),
        "duration_ms": None,
        "source_digest": digest_text(how.get("source", SOURCE)),
        "outputs_digest": None,
        "queries": list(queries),
        "files": [],
    }


def state(
    steps: list[Step],
    queries: list[QueryRecord],
    hypotheses: list[Hypothesis] | None = None,
) -> InvestigationState:
    return {
        "uid": "u",
        "title": "t",
        "severity": "",
        "state": "open",
        "window": None,
        "baseline": None,
        "services": [],
        "pin": 1,
        "pinned": None,
        "notebook": "",
        "opened_at": "",
        "seq": 1,
        "head": "",
        "hypotheses": {each["id"]: each for each in hypotheses or []},
        "steps": {each["id"]: each for each in steps},
        "queries": {each.id: each.summary() for each in queries},
        "notes": {},
        "actions": {},
        "agenda": None,
        "conclusion": None,
        "participants": {},
    }


def hypothesis(*evidence: str, now: Any = "supported") -> Hypothesis:
    return {
        "id": "h",
        "text": "slow",
        "prediction": "",
        "prediction_late": False,
        "state": now,
        "why": "",
        "override": "",
        "by": "user:alice",
        "at": "",
        "evidence": list(evidence),
        "tests": {},
        "judged": None,
        "cell": "a",
        "superseded_by": None,
    }


def captured(
    steps: list[Step], queries: list[QueryRecord], *hypotheses: Hypothesis, **lost: tuple[str, ...]
) -> Captured:
    found = {each.id: each for each in queries}
    return Captured(state(steps, queries, list(hypotheses)), found, {}, lost)


def judged(then: Captured, steps: list[Step], *queries: QueryRecord) -> CellReplay:
    asking: Any = new_code_cell(SOURCE, id="a")  # type: ignore[no-untyped-call]
    notebook: Any = new_notebook(cells=[asking])  # type: ignore[no-untyped-call]
    (cell,) = judge_cells(notebook, notebook, then, Replayed(state(steps, list(queries)), {}))
    return cell


ONE = captured([step("r1", "q1")], [query("q1")])


def test_the_same_answer_is_the_same() -> None:
    cell = judged(ONE, [step("n1", "p1")], query("p1", run="n1"))
    assert (cell.verdict, cell.reason) == ("same", "")


@pytest.mark.parametrize(
    ("status", "error", "verdict"),
    [("error", "NameError: x", "error"), ("aborted", "the kernel died", "error")],
)
def test_a_run_that_fails_now_is_an_error(status: Status, error: str, verdict: str) -> None:
    cell = judged(ONE, [step("n1", status=status, error=error)])
    assert cell.verdict == verdict
    assert judged(ONE, []).verdict == "error"


@pytest.mark.parametrize(
    ("then", "now", "verdict"),
    [
        ("ZeroDivisionError: by zero", "ZeroDivisionError: division", "same"),
        ("ZeroDivisionError: by zero", "ModuleNotFoundError: x", "changed"),
    ],
)
def test_a_run_that_failed_is_the_same_when_it_fails_alike(
    then: str, now: str, verdict: str
) -> None:
    old = captured([step("r1", status="error", error=then)], [])
    cell = judged(old, [step("n1", status="error", error=now)])
    assert cell.verdict == verdict
    assert judged(old, [step("n1")]).verdict == "changed"


def test_the_last_run_that_came_to_its_own_end_counts() -> None:
    steps = [
        step("r1", "q1", seq=1),
        step("r2", "q2", seq=2),
        step("r3", seq=3, status="aborted"),
        step("r4", seq=4, status="running"),
    ]
    old = captured(steps, [query("q1", digest="sha256:9"), query("q2", run="r2")])
    assert judged(old, [step("n1", "p1")], query("p1", run="n1")).verdict == "same"
    never = captured([step("r1", status="aborted")], [])
    assert judged(never, [step("n1")]).verdict == "skipped"


def test_queries_in_another_order_are_matched_by_what_they_ask() -> None:
    two = query("q2", sql="SELECT 2", digest="sha256:2")
    old = captured([step("r1", "q1", "q2")], [query("q1"), two])
    new = [replace(two, id="p1", run="n1"), query("p2", run="n1")]
    assert judged(old, [step("n1", "p1", "p2")], *new).verdict == "same"


def test_fewer_and_more_queries_are_told() -> None:
    two = captured([step("r1", "q1", "q2")], [query("q1"), query("q2", sql="SELECT 2")])
    cell = judged(two, [step("n1", "p1")], query("p1", run="n1"))
    assert cell.verdict == "changed"
    assert [each.comparison.reason for each in cell.queries][1] == "was not asked again"
    cell = judged(ONE, [step("n1", "p1", "p2")], query("p1", run="n1"), query("p2", run="n1"))
    assert (cell.verdict, cell.reason) == ("changed", "asks 1 more query now")


def test_what_was_asked_by_hand_in_the_controls_of_a_cell_is_not_held_against_it() -> None:
    ended: Step = {**step("r1", "q1"), "ended": "2024-05-01T10:00:01Z"}
    late = captured([ended], [query("q1", at="2024-05-01T10:05:00Z")])
    cell = judged(late, [step("n1")])
    assert cell.verdict == "skipped"
    assert "asked by hand" in cell.queries[0].comparison.reason
    within = captured([ended], [query("q1", at="2024-05-01T10:00:00.5Z")])
    assert judged(within, [step("n1")]).verdict == "changed"


def test_what_else_differs_is_told_with_a_difference() -> None:
    cell = judged(ONE, [step("n1", "p1")], query("p1", run="n1", pin=2, digest="sha256:2"))
    assert cell.verdict == "changed"
    assert "up to batch 1 then, 2 now" in cell.queries[0].comparison.reason


def test_a_query_that_failed_then_is_no_promise_of_success() -> None:
    failed = query("q1", ok=False, error="no", verdict=None, digest=None)
    old = captured([step("r1", "q1")], [failed])
    again = replace(failed, id="p1", run="n1")
    assert judged(old, [step("n1", "p1")], again).verdict == "same"
    assert judged(old, [step("n1", "p1")], query("p1", run="n1")).verdict == "changed"
    assert judged(ONE, [step("n1", "p1")], again).verdict == "error"


def test_a_lost_part_is_named() -> None:
    old = captured([step("r1", "q1")], [query("q1")], q1=("slice of spans",))
    cell = judged(old, [step("n1", "p1")], query("p1", run="n1"))
    assert (cell.verdict, cell.reason) == (
        "data missing",
        "the archive has no sound slice of spans",
    )


def test_a_run_during_the_freezing_is_not_judged() -> None:
    old = captured([step("r1", "q1", "unknown")], [query("q1")])
    assert judged(old, [step("n1", "p1")], query("p1", run="n1")).verdict == "skipped"


TEST = query("q1", test={"hypothesis": "h", "expect": "interesting"})


@pytest.mark.parametrize(("interesting", "holds"), [(True, True), (False, False), (None, False)])
def test_a_hypothesis_holds_as_long_as_its_tests_come_out_alike(
    interesting: bool | None, holds: bool
) -> None:
    then = captured([step("r1", "q1")], [TEST], hypothesis("q1", now="root_cause"))
    assert TEST.verdict is not None
    new = replace(TEST, id="p1", run="n1", verdict={**TEST.verdict, "interesting": interesting})
    cell = judged(then, [step("n1", "p1")], new)
    now = state([], [], [hypothesis("p1", now="root_cause")])  # concluded again, whatever tests say
    (found,) = Claims(then, now, [cell]).hypotheses()
    assert found.holds is holds


def test_nothing_is_known_of_a_hypothesis_whose_evidence_is_gone() -> None:
    then = captured([step("r1", "q1")], [TEST], hypothesis("q1"))
    (found,) = Claims(then, state([], [], [hypothesis()]), []).hypotheses()
    assert found.holds is None
    assert found.evidence[0].reason == "no cell of the notebook asks it"
    lost = captured([step("r1", "q1")], [TEST], hypothesis("q1"), q1=("slice of spans",))
    cell = judged(lost, [step("n1", "p1")], replace(TEST, id="p1", run="n1"))
    (found,) = Claims(lost, state([], [], [hypothesis("p1")]), [cell]).hypotheses()
    assert (found.holds, found.evidence[0].verdict) == (None, "data missing")


def test_evidence_of_an_earlier_run_is_found_in_the_last() -> None:
    steps = [step("r1", "q1", seq=1), step("r2", "q2", seq=2)]
    then = captured(steps, [query("q1"), query("q2", run="r2")], hypothesis("q1"))
    cell = judged(then, [step("n1", "p1")], query("p1", run="n1"))
    claims = Claims(then, state([], [], [hypothesis()]), [cell])
    (found,) = claims.hypotheses()
    assert (found.evidence[0].cell, found.evidence[0].verdict) == (1, "same")
    assert (found.holds, found.why) == (True, "judged by hand, on the same evidence")
    assert claims.left_out() == ("1 asked in earlier runs of its cells",)


def test_a_judgement_by_hand_on_other_evidence_is_not_taken_for_granted() -> None:
    then = captured([step("r1", "q1")], [query("q1")], hypothesis("q1"))
    cell = judged(then, [step("n1", "p1")], query("p1", run="n1", digest="sha256:2"))
    (found,) = Claims(then, state([], [], [hypothesis("p1")]), [cell]).hypotheses()
    assert found.holds is None
    assert "by hand" in found.why


def function(outcome: Any) -> HypothesisTest:
    return {
        "id": "t",
        "name": "waits",
        "expect": "returns true",
        "outcome": outcome,
        "reason": "",
        "judge": "kernel",
        "query": None,
        "run": "r1",
        "cell": "a",
        "at": "",
        "elapsed_ms": 1,
        "source_digest": None,
        "result_digest": None,
        "replaced": False,
    }


@pytest.mark.parametrize(
    ("now", "holds", "why"),
    [
        ("supported", True, "1 test came out as then"),
        ("refuted", False, "waits supported it then, refuted now"),
        (None, None, "1 test not run again"),
    ],
)
def test_a_test_in_python_is_compared_as_well(now: Any, holds: bool | None, why: str) -> None:
    was: Hypothesis = {**hypothesis(), "tests": {"t": function("supported")}}
    again: Hypothesis = {**hypothesis(), "tests": {"t": function(now)} if now else {}}
    (found,) = Claims(captured([], [], was), state([], [], [again]), []).hypotheses()
    assert (found.holds, found.why) == (holds, why)


def test_what_a_reader_must_know_of_a_claim_is_told() -> None:
    marked: Hypothesis = {
        **hypothesis("a"),
        "prediction": "it <waits>",
        "prediction_late": True,
        "override": "the test looks elsewhere",
    }
    cell = CellReplay("a", 3, "ask()", "same", "")
    claims = Claims(captured([], [], marked), state([], [], [marked]), [cell])
    (found,) = claims.hypotheses()
    assert [(each.title, each.cell) for each in found.evidence] == [("a cell", 3)]
    assert claim(found) == [
        "slow",
        "Predicts: it <waits>",
        "Note: its prediction was written after a test had begun",
        "Note: published despite its tests: the test looks elsewhere",
    ]
