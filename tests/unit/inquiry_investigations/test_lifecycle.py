"""The life of a hypothesis: what may follow what, and what may not be published."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.inquiry_investigations.conftest import DIGEST, Desk, event, record
from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.inquiry.investigations.lifecycle import FOLLOWS
from workspace_ext.protocol.validation import validate


def propose(desk: Desk, key: str = "h1", text: str = "the pool is empty", **more: Any) -> None:
    desk.say("hypothesis.proposed", hypothesis=key, text=text, **more)


def begin(desk: Desk, key: str = "h1") -> None:
    desk.service.begin_test(desk.uid, key, None, desk.kernel())


def judge(desk: Desk, state: str, key: str = "h1", **more: Any) -> None:
    desk.say("hypothesis.changed", hypothesis=key, state=state, _rationale="because", **more)


def ask(desk: Desk, says: str, name: str = "t1", **more: Any) -> str:
    asked = record(
        interesting={"yes": True, "no": False}.get(says),
        test={"hypothesis": "h1", "expect": "interesting"},
        test_id=name,
        **more,
    )
    desk.service.record_query(desk.uid, asked, desk.kernel())
    return asked.id


def found(desk: Desk, key: str = "h1") -> Any:
    return desk.state["hypotheses"][key]


@pytest.mark.parametrize("state", sorted(FOLLOWS))
def test_what_was_only_proposed_is_not_judged(desk: Desk, state: str) -> None:
    propose(desk)
    if state == "testing":
        judge(desk, state)
        return
    with pytest.raises(BadInput, match="proposed") as refused:
        judge(desk, state)
    assert refused.value.code == "illegal_transition"
    for call in (".test(", ".support(", ".refute(", ".leave_open("):
        assert call in refused.value.hint


def test_the_whole_way(desk: Desk) -> None:
    propose(desk, prediction="waits before errors")
    begin(desk)
    assert found(desk)["state"] == "testing"
    asked = ask(desk, "yes")
    assert (found(desk)["state"], found(desk)["evidence"]) == ("supported", [asked])
    judge(desk, "contributing")
    judge(desk, "root_cause")
    judge(desk, "ruled_out")
    entries = [e for e in desk.ledger.entries(desk.uid) if e["type"].startswith("hypothesis.")]
    assert [e["type"] for e in entries[1:3]] == ["hypothesis.changed", "hypothesis.tested"]
    assert all(e["rationale"] and e["actor"] and e["time"] for e in entries[1:])


def test_what_is_refuted_is_no_cause(desk: Desk) -> None:
    propose(desk)
    ask(desk, "no")
    for state in ("root_cause", "contributing", "supported"):
        with pytest.raises(BadInput, match="speaks against it"):
            judge(desk, state)
    judge(desk, "ruled_out")
    with pytest.raises(BadInput, match="cannot become testing"):
        judge(desk, "testing")


@pytest.mark.parametrize("says", ["nothing", "no"])
def test_a_conclusion_needs_tests_that_show_it(desk: Desk, says: str) -> None:
    propose(desk)
    ask(desk, says)
    concluded = {"root_cause": "it is", "confidence_percent": 80, "hypothesis": "h1"}
    with pytest.raises(BadInput, match="cannot be published as root cause") as refused:
        desk.say("conclusion.reached", **concluded)
    assert refused.value.code == "unproved"
    desk.say("conclusion.reached", **concluded, override="the test looks at another pod")
    assert (found(desk)["state"], found(desk)["override"]) == (
        "root_cause",
        "the test looks at another pod",
    )


def test_nothing_is_not_support(desk: Desk) -> None:
    propose(desk)
    begin(desk)
    with pytest.raises(BadInput, match="no test and no evidence"):
        judge(desk, "supported")
    asked = record()
    desk.service.record_query(desk.uid, asked, desk.kernel())
    judge(desk, "supported", evidence=[asked.id])
    assert found(desk)["state"] == "supported"


def test_a_cell_that_ran_is_evidence(desk: Desk) -> None:
    propose(desk)
    begin(desk)
    desk.run("r1", "c1")
    judge(desk, "supported", evidence=["c1"])
    assert found(desk)["evidence"] == ["c1"]
    with pytest.raises(BadInput, match="c9"):
        judge(desk, "supported", evidence=["c9"])


def test_one_test_without_an_answer_leaves_it_open(desk: Desk) -> None:
    propose(desk)
    ask(desk, "yes", "t1")
    ask(desk, "nothing", "t2")
    assert found(desk)["state"] == "inconclusive"
    ask(desk, "no", "t3")
    assert found(desk)["state"] == "refuted"
    ask(desk, "yes", "t3")
    ask(desk, "yes", "t2")
    assert found(desk)["state"] == "supported"


def test_a_cell_replaces_its_tests_and_the_record_keeps_them(desk: Desk) -> None:
    propose(desk)
    desk.run("r1", "c1")
    ask(desk, "no", "t1", run="r1", cell="c1")
    desk.run("r2", "c1")
    ask(desk, "yes", "t2", run="r2", cell="c1")
    assert found(desk)["state"] == "supported"
    assert {key: test["replaced"] for key, test in found(desk)["tests"].items()} == {
        "t1": True,
        "t2": False,
    }
    validate("messages", desk.state, definition="InvestigationState")


@pytest.mark.parametrize("begun", [False, True])
def test_a_prediction_written_after_the_test_is_late(desk: Desk, begun: bool) -> None:
    propose(desk)
    if begun:
        begin(desk)
    desk.say("hypothesis.predicted", hypothesis="h1", prediction="waits")
    assert (found(desk)["prediction"], found(desk)["prediction_late"]) == ("waits", begun)
    with pytest.raises(NotFound):
        desk.say("hypothesis.predicted", hypothesis="h9", prediction="waits")


def test_another_claim_in_its_place(desk: Desk) -> None:
    propose(desk, prediction="waits")
    ask(desk, "no")
    propose(desk, "h2", "the pool is small", prediction="waits", supersedes="h1")
    propose(desk, "h3", "the pool is old", prediction="errors", supersedes="h2")
    states = [found(desk, key)["superseded_by"] for key in ("h1", "h2", "h3")]
    assert states == ["h2", "h3", None]
    assert [found(desk, key)["prediction_late"] for key in ("h2", "h3")] == [False, False]
    propose(desk, "h4", "so be it", prediction="seen", supersedes="h1")
    assert found(desk, "h4")["prediction_late"] is True
    propose(desk, "h1", "the pool is empty", supersedes="h4")
    assert (found(desk)["superseded_by"], found(desk, "h4")["superseded_by"]) == (None, "h1")


FUNCTION: dict[str, Any] = {
    "hypothesis": "h1",
    "name": "pool_waits",
    "expect": "returns true",
    "source_digest": DIGEST,
    "result_digest": DIGEST,
    "elapsed_ms": 3,
}


def test_what_code_in_a_kernel_found_is_marked_as_its_word(desk: Desk) -> None:
    propose(desk)
    begin(desk)
    desk.run("r1", "c1")
    outcome: Any = {"hypothesis": "h1", "expect": "x", "outcome": "supported", "reason": "seen"}
    test: Any = {**FUNCTION, "run": {"id": "r1", "cell": "c1"}}
    desk.service.record_test(desk.uid, test, outcome, desk.kernel())
    (told,) = found(desk)["tests"].values()
    assert (told["judge"], told["source_digest"], told["cell"]) == ("kernel", DIGEST, "c1")
    assert found(desk)["state"] == "supported"
    entry = desk.ledger.entries(desk.uid)[-1]
    assert (entry["actor"], entry["on_behalf_of"]) == ("kernel:k1", "user:alice")
    with pytest.raises(BadInput, match="q9"):
        desk.service.record_test(desk.uid, {**test, "queries": ["q9"]}, outcome, desk.kernel())


def test_hypotheses_are_found_across_investigations(desk: Desk) -> None:
    propose(desk, text="The POOL of 50 % is empty")
    ask(desk, "no")
    other = desk.service.open(title="Another", actor=desk.server.actor)["uid"]
    desk.service.report(
        other, [event("hypothesis.proposed", hypothesis="g", text="the disk is full")], desk.server
    )
    assert {each["title"] for each in desk.service.hypotheses()} == {"Checkout fails", "Another"}
    (one,) = desk.service.hypotheses("pool empty", "refuted")
    assert (one["investigation"], one["state"], one["title"]) == (
        desk.uid,
        "refuted",
        "Checkout fails",
    )
    assert one["why"].endswith("2 of 3 rows")
    validate("messages", one, definition="HypothesisSummary")
    assert len(desk.service.hypotheses("50 %")) == 1
    assert desk.service.hypotheses("%_") == []
    assert desk.service.hypotheses(state="supported") == []
    with pytest.raises(BadInput, match="refutet"):
        desk.service.hypotheses(state="refutet")


def test_hypotheses_of_before_the_list_are_found_as_well(desk: Desk) -> None:
    propose(desk)
    with desk.records.begin() as connection:  # as an earlier version left it
        connection.exec_driver_sql("DELETE FROM hypotheses")
        connection.exec_driver_sql("UPDATE investigations SET listed = 0")
    desk.reopen()
    for _ in range(2):
        assert [each["text"] for each in desk.service.hypotheses("pool")] == ["the pool is empty"]


def test_a_conclusion_turns_out(desk: Desk) -> None:
    with pytest.raises(BadInput, match="no conclusion"):
        desk.say("outcome.recorded", correct=True, _rationale="fixed")
    desk.say("conclusion.reached", root_cause="it", confidence_percent=70)
    with pytest.raises(BadInput, match="without a reason"):
        desk.say("outcome.recorded", correct=True)
    desk.say("outcome.recorded", correct=False, _rationale="it came back")
    assert desk.service.list()[0]["correct"] is False
    desk.say("conclusion.reached", root_cause="another", confidence_percent=70)
    assert desk.service.list()[0]["correct"] is None


def test_who_brought_it_to_its_state_is_told(desk: Desk) -> None:
    propose(desk)
    assert found(desk)["judged"] is None
    begin(desk)
    judge(desk, "refuted", _actor="user:bob")
    judged = found(desk)["judged"]
    assert judged["by"] == "user:bob"
    assert judged["at"] >= found(desk)["at"]
    assert found(desk)["by"] != "user:bob"
    desk.say("hypothesis.predicted", hypothesis="h1", prediction="waits")
    assert found(desk)["judged"] == judged
    validate("messages", found(desk), definition="Hypothesis")
