"""From a question to its rows, verdict and record."""

from __future__ import annotations

import threading
from typing import Any

import pyarrow as pa
import pytest

from tests.support.desk import USER, Desk
from tests.support.spans import add_batch
from workspace_ext.foundation.errors import BadInput, LimitExceeded, NotFound
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.protocol.validation import validate
from workspace_ext.telemetry.query.digest import unordered_digest

WINDOW = "2024-05-01T10:00:00Z/2024-05-01T10:10:00Z"
AS_DICT = {"start": "2024-05-01T10:00:00Z", "end": "2024-05-01T10:10:00Z"}
MANY = "SELECT i, 'text ' || i AS t FROM range(200000) r(i)"


def only_query(desk: Desk, uid: str) -> QueryRecord:
    (record,) = desk.investigations.queries(uid)
    return record


def test_a_template_answers_with_rows_verdict_and_record(desk: Desk) -> None:
    uid = desk.open(window=WINDOW)
    run = {"id": "message", "cell": "cell"}
    table, answer = desk.answer(template="tests.slow", investigation=uid, run=run)
    validate("messages", answer, definition="Answer")
    assert table.column_names == ["service", "slowest_ms", "n"]
    assert (answer["rows"], answer["pin"], answer["error"]) == (3, 2, None)
    assert answer["verdict"]["interesting"] is True
    assert answer["verdict"]["reason"] == "service-0 took 7 ms"
    assert answer["verdict"]["warnings"] == []
    assert answer["params"] == {"window": AS_DICT, "least_ms": 5.0, "service": None}
    assert answer["compare"]["mode"] == "ordered"
    assert answer["chart"] is not None
    assert answer["unordered_digest"] is None

    record = only_query(desk, uid)
    assert record.id == answer["query"]
    assert (record.run, record.cell, record.digest) == ("message", "cell", answer["digest"])
    kept = desk.investigations.kept_result(record.id)
    assert kept is not None
    assert pa.ipc.open_stream(kept).read_all() == table
    state = desk.investigations.state(uid)
    assert state["queries"][record.id]["interesting"] is True


def test_asking_with_what_was_recorded_asks_the_same(desk: Desk) -> None:
    uid = desk.open(window=WINDOW)
    _, first = desk.answer(template="tests.slow", investigation=uid)
    _, again = desk.answer(template="tests.slow", params=first["params"], pin=first["pin"])
    assert again["digest"] == first["digest"]


def test_free_sql_is_run_recorded_and_kept(desk: Desk) -> None:
    uid = desk.open(window=WINDOW)
    sql = (
        "SELECT service, avg(duration_ns) AS mean FROM spans"
        " WHERE time >= $window_start AND time < $window_end AND service <> $not GROUP BY ALL"
    )
    table, answer = desk.answer(sql=sql, params={"not": "service-1"}, investigation=uid)
    validate("messages", answer, definition="Answer")
    assert sorted(table["service"].to_pylist()) == ["service-0", "service-2"]
    assert answer["verdict"]["interesting"] is None
    assert answer["compare"]["mode"] == "tolerance"
    assert answer["unordered_digest"] is None
    assert answer["template"] is None
    record = only_query(desk, uid)
    assert record.sql == sql
    assert record.params["window_end"] == "2024-05-01T10:10:00Z"
    assert record.scan["tables"][0]["window"] == AS_DICT


def test_only_a_free_order_has_a_digest_that_does_not_mind_it(desk: Desk) -> None:
    table, answer = desk.answer(sql="SELECT service, count(*) AS n FROM spans GROUP BY ALL")
    assert answer["compare"]["mode"] == "unordered"
    assert answer["unordered_digest"] == unordered_digest(table)


def test_absent_and_null_are_the_same(desk: Desk) -> None:
    nothing = dict.fromkeys(("template", "version", "params", "pin", "run", "test", "limits"))
    assert desk.answer(sql="SELECT 1 AS x", **nothing)[0].to_pylist() == [{"x": 1}]


def test_the_pin_stays_until_it_is_moved(desk: Desk) -> None:
    count = "SELECT count(*) AS n FROM spans"
    uid = desk.open()
    add_batch(desk.store)
    assert desk.answer(sql=count, investigation=uid)[0]["n"].to_pylist() == [1200]
    assert desk.answer(sql=count)[0]["n"].to_pylist() == [1800]
    assert desk.answer(sql=count, investigation=uid, pin=1)[0]["n"].to_pylist() == [600]


def test_no_rows_is_no_verdict(desk: Desk) -> None:
    later = "2025-01-01T00:00:00Z/2025-01-01T01:00:00Z"
    table, answer = desk.answer(template="tests.slow", params={"window": later})
    assert table.num_rows == 0
    assert answer["verdict"]["interesting"] is None
    reach = "2024-05-01T10:00:00Z to 2024-05-01T10:19:59Z"
    assert answer["verdict"]["warnings"] == [
        f"the window has no spans: the data has some from {reach}"
    ]
    # the same again, from what is remembered of this pin
    _, again = desk.answer(template="tests.slow", params={"window": later})
    assert again["verdict"] == answer["verdict"]


def test_large_results_are_digested_but_not_kept(desk: Desk) -> None:
    table, answer = desk.answer(template="tests.every", params={"n": 45_000})
    assert table.num_rows == answer["rows"] == 45_000
    assert answer["verdict"]["reason"]
    assert answer["unordered_digest"] is None
    assert desk.investigations.kept_result(answer["query"]) is None


@pytest.mark.parametrize(
    ("expect", "outcome"), [("interesting", "supported"), ("not interesting", "refuted")]
)
def test_a_test_of_a_hypothesis(desk: Desk, expect: str, outcome: str) -> None:
    uid = desk.open(window=WINDOW)
    desk.investigations.report(
        uid,
        [
            {
                "id": "h1",
                "type": "hypothesis.proposed",
                "subject": "h1",
                "time": "2024-05-01T12:00:00Z",
                "data": {"hypothesis": "h1", "text": "slow", "prediction": "it shows"},
            }
        ],
        USER,
    )
    test = {"hypothesis": "h1", "expect": expect}
    _, answer = desk.answer(template="tests.slow", investigation=uid, test=test)
    assert answer["test"] is not None
    assert answer["test"]["outcome"] == outcome
    assert desk.investigations.state(uid)["hypotheses"]["h1"]["evidence"] == [answer["query"]]
    with pytest.raises(NotFound):
        desk.ask(template="tests.slow", investigation=uid, test={**test, "hypothesis": "h2"})


@pytest.mark.parametrize(
    ("request_", "error", "says"),
    [
        ({"template": "tests.slwo"}, NotFound, "tests.slwo"),
        ({"template": "tests.slow", "version": 9}, NotFound, "version 9"),
        ({"template": "tests.slow", "params": {"wndow": WINDOW}}, BadInput, "wndow"),
        ({"template": "tests.slow", "params": {"least_ms": "much"}}, BadInput, "least_ms"),
        ({"template": "tests.slow", "params": {"service": "cart"}}, BadInput, "cart"),
        ({"sql": "SELECT * FROM nowhere"}, BadInput, "nowhere"),
        ({"sql": "SELECT $a"}, BadInput, r"\$a"),
        ({"sql": "SELECT 1", "limits": {"rows": -1}}, BadInput, "rows"),
        ({"sql": "SELECT $a", "params": {"a": {"b": 1}}}, BadInput, r"\$a"),
    ],
)
def test_a_failed_question_is_recorded(
    desk: Desk, request_: dict[str, Any], error: type[BadInput], says: str
) -> None:
    uid = desk.open(window=WINDOW)
    with pytest.raises(error, match=says) as caught:
        desk.ask(investigation=uid, **request_)
    assert caught.value.hint
    record = only_query(desk, uid)
    assert (record.ok, record.error) == (False, caught.value.message)
    assert desk.investigations.verify().ok


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"template": "tests.slow", "sql": "SELECT 1"},
        {"sql": 5},
        {"template": "tests.slow", "version": "1"},
        {"template": "tests.slow", "params": [1]},
        {"sql": "SELECT 1", "pin": 99},
        {"sql": "SELECT 1", "pin": -1},
        {"sql": "SELECT 1", "run": {"id": "x"}},
        {"sql": "SELECT 1", "investigation": "nowhere"},
        {"sql": "SELECT 1", "test": {"hypothesis": "h", "expect": "interesting"}},
        {"sql": "SELECT 1", "test": {"hypothesis": "h", "expect": "maybe"}},
    ],
)
def test_what_is_no_question_is_refused(desk: Desk, request_: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as caught:
        desk.ask(**request_)
    assert caught.value.hint


def test_a_limit_met_half_way_stands_in_the_answer(desk: Desk) -> None:
    uid = desk.open()
    asked = desk.ask(sql=MANY, investigation=uid)
    rows = sum(batch.num_rows for batch in asked)
    assert 0 < rows <= 100_000
    error = asked.answer["error"]
    assert error is not None
    assert error["code"] == "row_limit"
    assert only_query(desk, uid).error == error["message"]


def test_time_runs_out_before_the_first_row(desk: Desk) -> None:
    uid = desk.open()
    endless = "SELECT count(*) FROM range(100000000000) r(i) WHERE hash(i) % 7 = 3"
    with pytest.raises(LimitExceeded):
        desk.ask(sql=endless, investigation=uid, limits={"seconds": 0.3})
    assert only_query(desk, uid).ok is False


def test_whoever_goes_away_is_recorded_as_such(desk: Desk) -> None:
    uid = desk.open()
    asked = desk.ask(template="tests.every", params={"n": 50_000}, investigation=uid)
    asked.close()
    assert asked.answer["error"] is not None
    assert asked.answer["error"]["code"] == "cancelled"
    cancelled = threading.Event()
    asked = desk.ask(template="tests.every", investigation=uid, cancelled=cancelled)
    assert [batch.num_rows for batch in asked] == [10]
    assert [record.ok for record in desk.investigations.queries(uid)] == [False, True]
    with pytest.raises(RuntimeError):
        _ = desk.ask(template="tests.every").answer


@pytest.mark.parametrize("asked", [{"template": "tests.every"}, {"sql": "SELECT 1 AS i"}])
def test_what_is_not_merged_yet_is_told(desk: Desk, asked: dict[str, str]) -> None:
    assert not desk.answer(**asked)[1]["verdict"]["warnings"]
    desk.store.catalog.settle = lambda: False
    (told,) = desk.answer(**asked)[1]["verdict"]["warnings"]
    assert "received before this question" in told
    assert not desk.answer(**asked, pin=2)[1]["verdict"]["warnings"]
