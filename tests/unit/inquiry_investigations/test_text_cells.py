"""Text cells in the record: once, corrected, and kept."""

from __future__ import annotations

from typing import Any

from tests.unit.inquiry_investigations.conftest import ALICE, Desk, record
from workspace_ext.foundation.ids import hypothesis_id
from workspace_ext.inquiry.capture.prose import Text, events
from workspace_ext.protocol.validation import validate

CLAIM = "the pool is empty"


def save(desk: Desk, *cells: tuple[str, str]) -> int:
    """Reports what is new; how much that was."""
    told = events(desk.state, [Text(*cell) for cell in cells], ALICE)
    for event in told:
        validate("messages", event, definition="EventIn")
    desk.service.report(desk.uid, told, desk.server)
    return len(told)


def claims(desk: Desk) -> dict[str, Any]:
    return {each["text"]: each for each in desk.state["hypotheses"].values()}


def test_saving_again_adds_nothing(desk: Desk) -> None:
    cells = (
        ("a", "*Hypothesis:* the pool is empty\nPrediction: it waits"),
        ("b", "*Finding:* slow"),
        ("c", "*Decision:* restart"),
    )
    before = desk.state
    assert save(desk, *cells) == 3
    desk.service.report(
        desk.uid, events(before, [Text(*cell) for cell in cells], ALICE), desk.server
    )  # two savers at once
    assert save(desk, *cells) == 0
    assert save(desk) == 0  # the cells are gone; what they said stays
    assert [note["kind"] for note in desk.state["notes"].values()] == ["finding", "decision"]
    (claim,) = desk.state["hypotheses"].values()
    assert (claim["cell"], claim["by"], claim["prediction"]) == ("a", "user:alice", "it waits")
    assert claim["id"] == hypothesis_id(desk.uid, "The pool is  empty")


def test_other_words_take_the_place_of_the_first(desk: Desk) -> None:
    for text in ("slow", "very slow", "slow", "very slow"):
        assert save(desk, ("b", f"*Finding:* {text}"), ("a", f"Hypothesis: it is {text}")) == 2
        assert save(desk, ("b", f"*Finding:* {text}"), ("a", f"Hypothesis: it is {text}")) == 0
        stands = [note for note in desk.state["notes"].values() if note["superseded_by"] is None]
        assert [note["text"] for note in stands] == [text]
        now = [key for key, each in claims(desk).items() if each["superseded_by"] is None]
        assert now == [f"it is {text}"]
    assert len(desk.state["notes"]) == 4
    assert len(desk.state["hypotheses"]) == 2


def test_a_prediction_written_after_the_test_is_late(desk: Desk) -> None:
    save(desk, ("a", "Hypothesis: it is slow\nPrediction: waits"))
    (claim,) = desk.state["hypotheses"].values()
    tested = record(test={"hypothesis": claim["id"], "expect": "interesting"})
    desk.service.begin_test(desk.uid, claim["id"], None, desk.kernel())
    desk.service.record_query(desk.uid, tested, desk.kernel())
    assert save(desk, ("a", "Hypothesis: it is slow\nPrediction: waits")) == 0
    assert save(desk, ("a", "Hypothesis: it is slow\nPrediction: errors")) == 1
    (claim,) = desk.state["hypotheses"].values()
    assert (claim["prediction"], claim["prediction_late"]) == ("errors", True)
    assert save(desk, ("a", "Hypothesis: it is very slow\nPrediction: errors")) == 1
    assert claims(desk)["it is very slow"]["prediction_late"] is True
    assert claims(desk)["it is slow"]["state"] == "supported"  # and stays


def test_one_claim_in_text_and_code_is_one(desk: Desk) -> None:
    key = hypothesis_id(desk.uid, CLAIM)
    desk.say("hypothesis.proposed", hypothesis=key, text=CLAIM)
    assert save(desk, ("a", f"Hypothesis: {CLAIM}\nPrediction: waits")) == 1
    assert save(desk, ("a", f"Hypothesis: {CLAIM}\nPrediction: waits")) == 0
    assert list(desk.state["hypotheses"]) == [key]
