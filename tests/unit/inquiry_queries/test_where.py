"""Conditions on answers, and the path of queries that led to each other."""

from __future__ import annotations

import pytest

from tests.support.desk import Desk
from workspace_ext.foundation.errors import BadInput

WINDOW = "2024-05-01T10:00:00Z/2024-05-01T10:10:00Z"


def test_rows_that_meet_a_condition_are_judged_and_recorded(desk: Desk) -> None:
    uid = desk.open(window=WINDOW)
    _, first = desk.answer(template="tests.slow", investigation=uid)

    table, answer = desk.answer(
        template="tests.slow",
        investigation=uid,
        where="service LIKE '%-1' AND n > 10",
        parent=first["query"],
    )

    assert table.column("service").to_pylist() == ["service-1"]
    assert answer["title"] == "Slow services where service LIKE '%-1' AND n > 10"
    assert answer["verdict"]["rows"] == 1
    record = desk.investigations.queries(uid)[-1]
    assert (record.where, record.parent) == (
        "service LIKE '%-1' AND n > 10",
        first["query"],
    )
    summary = desk.investigations.state(uid)["queries"][record.id]
    assert summary["parent"] == first["query"]


def test_free_sql_may_be_filtered_too(desk: Desk) -> None:
    table, _ = desk.answer(
        sql="SELECT i FROM range(5) r(i) ORDER BY i", where="i >= 3 OR i IS NULL"
    )

    assert table.column("i").to_pylist() == [3, 4]


def test_a_condition_that_nothing_meets_leaves_no_rows(desk: Desk) -> None:
    table, answer = desk.answer(template="tests.slow", params={"window": WINDOW}, where="n < 0")

    assert table.num_rows == 0
    assert answer["verdict"]["interesting"] is None


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("max(n) > 3", "max is not allowed"),
        ("n > (SELECT 1)", "subquery"),
        ("1 = 1", "says nothing about the rows"),
        ("n >", "no condition"),
        ("n > 1; SELECT 1", "no condition"),
        ("list_sort(range(300000000)) IS NOT NULL", "is not allowed"),
        ("x" * 2000, "longer than"),
        ("pod = 'a'", "pod"),
        (7, "where must be text"),
    ],
)
def test_refuses_what_is_no_condition(desk: Desk, where: object, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        desk.answer(template="tests.slow", params={"window": WINDOW}, where=where)


def test_a_parent_must_be_of_the_investigation(desk: Desk) -> None:
    uid = desk.open(window=WINDOW)

    with pytest.raises(BadInput, match="no query 'q' that could lead"):
        desk.answer(template="tests.slow", investigation=uid, parent="q")
