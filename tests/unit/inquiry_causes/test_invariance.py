"""What another system could write otherwise, and the step behind rca.ranking says the same."""

import random
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.benchmarks.root_cause_stresses import Case, alias, clocks_apart, renamed, structured
from tests.support.incidents import Incident
from tests.support.metered import Metered
from tests.support.shops import Shop
from workspace_ext.inquiry.causes.during import placed
from workspace_ext.inquiry.causes.ranking import rank
from workspace_ext.inquiry.causes.roles import Role, role_of

MADE = (Incident(1, "exception", size=5), Metered(3, "delay"), Shop(4, "cpu"))
INCIDENTS = {f"{type(made).__name__} {made.kind}": made for made in MADE}


@cache
def case_of(name: str) -> Case:
    made = INCIDENTS[name]
    return Case(name, made.table(), made.params)


def ranked(case: Case) -> list[str]:
    return [row["service"] for row in rank(case.table, case.params).to_pylist()]


def shuffled(case: Case, draw: random.Random) -> Case:
    order = draw.sample(range(case.table.num_rows), case.table.num_rows)
    return Case(case.case_id, case.table.take(pa.array(order)), case.params)


def another_day(case: Case, _draw: random.Random) -> Case:
    later = timedelta(days=3, hours=7, seconds=13)
    at = case.table.column_names.index("time_ns")
    times = pc.add(case.table.column("time_ns"), int(later.total_seconds()) * 10**9)
    params: dict[str, Any] = {
        name: value + later if name.endswith(("_start", "_end")) else value
        for name, value in case.params.items()
    }
    return Case(case.case_id, case.table.set_column(at, "time_ns", times), params)


def in_milliseconds(case: Case, _draw: random.Random) -> Case:
    names = case.table.column("name").to_pylist()
    parts = case.table.column("part").to_pylist()
    factor = [
        1000.0 if part == "metric" and role_of(name) is Role.TIME else 1.0
        for part, name in zip(parts, names, strict=True)
    ]
    table = case.table
    for column in ("value", "sum"):
        values = pc.multiply(table.column(column), pa.array(factor))
        table = table.set_column(table.column_names.index(column), column, values)
    return Case(case.case_id, table, case.params)


@pytest.mark.parametrize("name", INCIDENTS)
@pytest.mark.parametrize("change", [shuffled, another_day, in_milliseconds])
def test_order_date_and_unit_change_no_rank(
    name: str, change: Callable[[Case, random.Random], Case]
) -> None:
    case = case_of(name)
    assert ranked(change(case, random.Random(5))) == ranked(case)


@pytest.mark.parametrize("name", INCIDENTS)
@pytest.mark.parametrize("change", [renamed, structured, clocks_apart])
def test_names_form_of_lines_and_clocks_change_no_first(
    name: str, change: Callable[[Case, random.Random], Case]
) -> None:
    first, truth = ranked(change(case_of(name), random.Random(5)))[0], INCIDENTS[name].truth
    assert first == (alias(truth) if change is renamed else truth)


def one_at_a_time(*starts: int) -> pa.Table:
    return pa.table(
        {
            "service": ["cart"] * len(starts),
            "pod": ["cart-1"] * len(starts),
            "trace_id": [f"t{start}" for start in starts],
            "span_id": [f"s{start}" for start in starts],
            "time_ns": list(starts),
            "duration_ns": [10] * len(starts),
        }
    )


def unlinked(*times: int) -> pa.Table:
    return pa.table(
        {
            "service": ["cart"] * len(times),
            "pod": ["cart-1"] * len(times),
            "trace_id": pa.nulls(len(times), pa.string()),
            "span_id": pa.nulls(len(times), pa.string()),
            "is_now": [False] * len(times),
            "time_ns": list(times),
        }
    )


def test_a_line_on_no_trace_is_on_the_one_visit_of_its_time() -> None:
    on, off = placed(one_at_a_time(0, 20), unlinked(5, 15, 25))
    assert list(zip(on["trace_id"].to_pylist(), on["span_id"].to_pylist(), strict=True)) == [
        ("t0", "s0"),
        ("t20", "s20"),
    ]
    assert off["time_ns"].to_pylist() == [15]


def test_where_visits_overlap_no_line_of_the_service_is_placed() -> None:
    on, off = placed(one_at_a_time(0, 5, 20), unlinked(2, 7, 25))
    assert on.num_rows == 0
    assert off["time_ns"].to_pylist() == [2, 7, 25]
