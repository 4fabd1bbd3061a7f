"""Each rung of the ladder, and that none is widened."""

from typing import Literal

import pyarrow as pa
import pytest

from workspace_ext.inquiry.archive.compare import TOLERANCE, Result, compare
from workspace_ext.protocol.messages import Compare

Mode = Literal["ordered", "unordered", "tolerance", "shape", "none"]


def mode(name: Mode) -> Compare:
    return {"mode": name, "reason": "the query says so"}


def result(table: pa.Table | None, digest: str) -> Result:
    return Result(2 if table is None else table.num_rows, digest, table)


THEN = pa.table({"service": ["a", "b"], "p95": [1.0, 2.0]})


def drifted(by: float) -> pa.Table:
    return pa.table({"service": ["b", "a"], "p95": [2.0, 1.0 + by]})


def test_equal_digests_are_exact_without_values() -> None:
    found = compare(result(None, "x"), result(None, "x"), mode("ordered"))
    assert (found.rung, found.same) == ("exact", True)


@pytest.mark.parametrize(("name", "same"), [("ordered", False), ("unordered", True)])
def test_other_order_is_enough_only_without_an_order(name: Mode, same: bool) -> None:
    found = compare(result(THEN, "x"), result(drifted(0), "y"), mode(name))
    assert (found.rung, found.same) == ("unordered", same)


@pytest.mark.parametrize(("name", "same"), [("unordered", False), ("tolerance", True)])
def test_drift_is_shown_and_enough_only_where_floats_are_aggregated(name: Mode, same: bool) -> None:
    found = compare(result(THEN, "x"), result(drifted(1e-14), "y"), mode(name))
    assert (found.rung, found.same) == ("tolerance", same)
    assert found.drift is not None
    assert 0 < found.drift < TOLERANCE


@pytest.mark.parametrize(("name", "same"), [("tolerance", False), ("shape", True)])
def test_other_values_are_the_same_shape_only(name: Mode, same: bool) -> None:
    found = compare(result(THEN, "x"), result(drifted(0.5), "y"), mode(name))
    assert (found.rung, found.same) == ("shape", same)
    assert "p95" in found.reason


def test_columns_of_one_name_are_compared_each_for_itself() -> None:
    then = pa.table([[1, 2], [3, 4]], names=["n", "n"])
    assert compare(result(then, "x"), result(then.take([1, 0]), "y"), mode("unordered")).same
    now = pa.table([[1, 2], [3, 5]], names=["n", "n"])
    found = compare(result(then, "x"), result(now, "y"), mode("unordered"))
    assert (found.same, found.difference[-1]) == (False, "≠ 1: n=2: 2: n 4 → 5")


def test_equal_values_of_another_type_are_no_other_order() -> None:
    now = pa.table({"service": ["a", "b"], "p95": [1, 2]})
    found = compare(result(THEN, "x"), result(now, "y"), mode("unordered"))
    assert (found.rung, found.reason) == ("different", "column p95: f64 then, i64 now")


def test_times_beyond_those_of_python_are_compared_as_well() -> None:
    never = pa.array([2**63 - 1, 1], pa.timestamp("us", "UTC"))
    then = pa.table({"end": never, "day": pa.array([2**31 - 1, 1], pa.date32())})
    assert compare(result(then, "x"), result(then.take([1, 0]), "y"), mode("unordered")).same


@pytest.mark.parametrize(
    ("name", "near"), [("x", [1.0, 1.0 + 2.3e-16]), ("x", [[1.0], [1.0 + 2.3e-16]])]
)
def test_rows_that_drift_past_each_other_stay_the_same_rows(name: str, near: list[object]) -> None:
    then = pa.table({name: near, "y": [5.0, 3.0]})
    now = pa.table({name: near[::-1], "y": [5.0, 3.0]})
    assert compare(result(then, "x"), result(now, "y"), mode("tolerance")).same


def test_other_rows_are_different() -> None:
    found = compare(result(THEN, "x"), result(THEN.slice(0, 1), "y"), mode("shape"))
    assert (found.rung, found.same) == ("different", False)
    assert "2 rows then, 1 now" in found.reason


def test_other_columns_are_different() -> None:
    found = compare(result(THEN, "x"), result(THEN.select(["service"]), "y"), mode("shape"))
    assert (found.rung, found.same) == ("different", False)


def test_large_results_that_differ_are_not_compared_rather_than_guessed() -> None:
    found = compare(result(None, "x"), result(None, "y"), mode("tolerance"))
    assert (found.rung, found.same) == ("not compared", None)


def test_a_large_result_in_a_fixed_order_has_to_have_the_same_digest() -> None:
    found = compare(result(None, "x"), result(None, "y"), mode("ordered"))
    assert (found.rung, found.same) == ("different", False)


def test_a_query_without_a_comparable_answer_is_not_compared() -> None:
    found = compare(result(THEN, "x"), result(THEN, "x"), mode("none"))
    assert (found.rung, found.same) == ("not compared", None)


def test_values_inside_lists_and_maps_may_drift_too() -> None:
    then = pa.table({"bounds": [[1.0, None], [2.0, 3.0]]})
    now = pa.table({"bounds": [[1.0 + 1e-15, None], [2.0, 3.0 + 1e-15]]})
    assert compare(result(then, "x"), result(now, "y"), mode("tolerance")).same is True


def test_a_null_is_no_number() -> None:
    then, now = pa.table({"v": [1.0, None]}), pa.table({"v": [1.0, 0.0]})
    assert compare(result(then, "x"), result(now, "y"), mode("tolerance")).same is False
