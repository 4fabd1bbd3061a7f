"""Expectations: what a condition may say, and what rows say of it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from tests.support.desk import USER, Desk
from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.inquiry.queries.expectation import Condition, check_expectation, judge_function
from workspace_ext.protocol.messages import EventIn
from workspace_ext.protocol.validation import validate

WINDOW = "2024-05-01T10:00:00Z/2024-05-01T10:10:00Z"
LATER = "2030-01-01T00:00:00Z/2030-01-01T01:00:00Z"
COUNT = "SELECT count(*) AS n FROM spans WHERE time >= $window_start AND time < $window_end"
DIGEST = "sha256:" + "0" * 64


def judged(expect: str, **columns: list[Any]) -> tuple[str, str]:
    check_expectation(expect)
    condition = Condition(expect)
    for batch in pa.table(columns).to_batches(max_chunksize=1) if columns else ():
        condition.feed(batch)
    return condition.outcome()


@pytest.mark.parametrize(
    ("expect", "outcome"),
    [
        ("max(ratio) > 2", "supported"),
        ("max(ratio) > 3", "refuted"),
        ("count(*) = 2 AND min(ratio) BETWEEN 1 AND 2", "supported"),
        ("bool_or(service = 'cart' AND ratio > 2)", "supported"),
        ("count(*) FILTER (WHERE ratio IS NULL) > 0", "refuted"),
        ("ratio > 2", "inconclusive"),  # one answer a row
        ("max(nothing) > 2", "inconclusive"),
        ("max(service) > 2", "inconclusive"),  # text against a number
        ("max(ratios) > 2", "inconclusive"),  # no such column
    ],
)
def test_a_condition_over_rows(expect: str, outcome: str) -> None:
    found, why = judged(expect, service=["cart", "pay"], ratio=[2.5, 1.0], nothing=[None, None])
    assert found == outcome
    assert why


def test_one_row_needs_no_aggregate_and_no_row_is_no_answer() -> None:
    assert judged("n > 5", n=[7]) == ("supported", "n > 5: true, on 1 row")
    assert judged("count(*) = 0") == ("inconclusive", "no rows")
    assert judged("count(*) = 0", n=[]) == ("inconclusive", "no rows")


@pytest.mark.parametrize(
    "expect",
    [
        "",
        "maybe",  # a column is no condition, but that only its value tells
        "1 = 1",
        "max(x) > 2; SELECT 1",
        "max(x) > 2) FROM spans --",
        "(SELECT max(duration_ns) FROM spans) > 2",
        "exists(SELECT 1)",
        "list_sum(range(1000000000)) > max(x)",
        "sum(length(repeat('x', 1000000))) > 2",
        "max(x) > $y",
        "read_csv('/etc/passwd') IS NOT NULL AND max(x) > 1",
        "max(x) > 2, min(x) > 1",
        "row_number() OVER () > max(x)",
        "x" * 2000,
    ],
)
def test_what_is_no_condition(expect: str) -> None:
    if expect == "maybe":
        check_expectation(expect)
        assert judged(expect, maybe=["so"])[0] == "inconclusive"
        return
    with pytest.raises(BadInput) as refused:
        check_expectation(expect)
    assert refused.value.code == "bad_expectation"
    assert refused.value.hint


def stated(desk: Desk, window: str = WINDOW) -> str:
    uid = desk.open(window=window)
    proposed: Any = {
        "id": "h",
        "type": "hypothesis.proposed",
        "subject": "h",
        "time": "2024-05-01T12:00:00Z",
        "data": {"hypothesis": "h", "text": "slow"},
    }
    desk.investigations.report(uid, [proposed], USER)
    return uid


def test_the_broker_judges_a_template_by_a_condition(desk: Desk) -> None:
    uid = stated(desk)
    for expect, outcome in (("max(slowest_ms) > 6", "supported"), ("count(*) > 9", "refuted")):
        test = {"hypothesis": "h", "expect": expect}
        _, answer = desk.answer(template="tests.slow", investigation=uid, test=test)
        assert answer["test"] is not None
        assert answer["test"]["outcome"] == outcome
        state = desk.investigations.state(uid)
        assert state["queries"][answer["query"]]["outcome"] == outcome
    assert state["hypotheses"]["h"]["state"] == "refuted"
    assert desk.investigations.query(answer["query"]).outcome() == answer["test"]
    kinds = [entry["type"] for entry in desk.investigations.entries(uid)]
    assert kinds[2:5] == ["hypothesis.changed", "query.answered", "hypothesis.tested"]


def test_rows_that_leave_a_template_open_leave_its_condition_open(desk: Desk) -> None:
    uid = stated(desk)
    test = {"hypothesis": "h", "expect": "count(*) >= 0"}
    _, answer = desk.answer(
        template="tests.slow", params={"window": LATER}, investigation=uid, test=test
    )
    assert answer["test"] == {**test, "outcome": "inconclusive", "reason": "no rows"}


def test_the_broker_judges_sql_by_a_condition(desk: Desk) -> None:
    uid = stated(desk)
    test = {"hypothesis": "h", "expect": "n > 100"}
    _, answer = desk.answer(sql=COUNT, investigation=uid, test=test)
    assert answer["test"] == {**test, "outcome": "supported", "reason": "n > 100: true, on 1 row"}


@pytest.mark.parametrize("sql", [COUNT, "SELECT 0 AS n"])
def test_a_count_of_nothing_is_no_data(desk: Desk, sql: str) -> None:
    uid = stated(desk, LATER)
    test = {"hypothesis": "h", "expect": "n = 0"}
    _, answer = desk.answer(sql=sql, investigation=uid, test=test)
    assert answer["test"] is not None
    assert answer["test"]["outcome"] == "inconclusive"
    assert "no data" in answer["test"]["reason"]


def test_sql_needs_a_condition(desk: Desk) -> None:
    uid = stated(desk)
    with pytest.raises(BadInput, match="SQL has no rule"):
        desk.ask(
            sql="SELECT 1", investigation=uid, test={"hypothesis": "h", "expect": "interesting"}
        )


@pytest.mark.parametrize("ask", [{"template": "tests.slow"}, {"sql": COUNT}])
def test_a_slip_in_a_condition_is_no_test(desk: Desk, ask: dict[str, Any]) -> None:
    uid = stated(desk)
    with pytest.raises(BadInput, match="cannot be put to this answer") as refused:
        desk.answer(**ask, investigation=uid, test={"hypothesis": "h", "expect": "nn > 100"})
    assert refused.value.code == "bad_expectation"
    assert "its columns are" in refused.value.hint
    found = desk.investigations.state(uid)["hypotheses"]["h"]
    assert (found["state"], found["tests"]) == ("proposed", {})
    assert [record.ok for record in desk.investigations.queries(uid)] == [False]


def test_a_test_tells_what_it_took_away(desk: Desk) -> None:
    uid = stated(desk)
    test = {"hypothesis": "h", "expect": "n > 100"}
    _, first = desk.answer(sql=COUNT, investigation=uid, test=test)
    assert first["test"] is not None
    assert "fell_from" not in first["test"]
    data = {"hypothesis": "h", "state": "root_cause", "evidence": []}
    cause: EventIn = {
        "id": "c",
        "type": "hypothesis.changed",
        "subject": "h",
        "time": "2024-05-01T12:00:00Z",
        "data": data,
        "rationale": "its count shows it",
    }
    desk.investigations.report(uid, [cause], USER)
    _, second = desk.answer(sql=COUNT, investigation=uid, test={**test, "expect": "n < 100"})
    assert second["test"] is not None
    assert (second["test"]["outcome"], second["test"]["fell_from"]) == ("refuted", "root_cause")
    validate("messages", second, definition="Answer")


def test_a_question_that_could_not_be_put_tests_nothing(desk: Desk) -> None:
    uid = stated(desk)
    with pytest.raises(NotFound):
        desk.ask(
            template="tests.slwo",
            investigation=uid,
            test={"hypothesis": "h", "expect": "interesting"},
        )
    assert desk.investigations.state(uid)["hypotheses"]["h"]["state"] == "proposed"


FUNCTION: dict[str, Any] = {
    "hypothesis": "h",
    "name": "waits",
    "expect": "returns true",
    "source_digest": DIGEST,
    "result_digest": DIGEST,
    "elapsed_ms": 1,
}


@pytest.mark.parametrize(
    ("report", "outcome"),
    [
        ({"supports": True}, "supported"),
        ({"supports": False}, "refuted"),
        ({"supports": None, "reason": "ValueError: x"}, "inconclusive"),
        ({}, "inconclusive"),
        ({"expect": "max(x) > 1", "evidence": [{"x": 1}, {"x": 2}]}, "supported"),
        ({"expect": "max(x) > 1", "evidence": []}, "inconclusive"),
    ],
)
def test_what_a_function_found(report: dict[str, Any], outcome: str) -> None:
    told = judge_function({**FUNCTION, **report})  # type: ignore[typeddict-item]
    assert told["outcome"] == outcome
    assert told["reason"]


@pytest.mark.parametrize(
    "report",
    [
        {"evidence": [{"x": 1}]},
        {"expect": "interesting", "evidence": [{"x": 1}]},
        {"expect": "max(x) > 1", "evidence": [{"x": 1}, {"x": "one"}]},
        {"expect": "max(x) > 1", "evidence": [1]},
        {"supports": "yes"},
        {"source_digest": "x"},
        {"hypothesis": ""},
    ],
)
def test_a_wrong_report_of_a_function(report: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        judge_function({**FUNCTION, **report})  # type: ignore[typeddict-item]
    assert refused.value.hint
