"""The steps of the log templates, where their SQL gives them what is odd."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from workspace_ext.foundation.shipped import shipped
from workspace_ext.inquiry.steps.log_difference import pattern_difference
from workspace_ext.inquiry.steps.log_patterns import LIST, MASK, masked
from workspace_ext.inquiry.steps.log_spike import rate_spike

LIMITS = {"min_lines": 5, "min_ratio": 2.0, "min_z": 4.0}
LINE = {
    "service": "cart",
    "operation": None,
    "severity": "INFO",
    "lines": 0,
    "baseline_lines": 0,
    "traces": 0,
    "together": 0,
    "example": "",
    "example_trace": None,
    "calls1": None,
    "calls0": None,
    "minutes1": 10.0,
    "minutes0": 10.0,
    "n0": 100,
}


def differences(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return pattern_difference(
        pa.Table.from_pylist([LINE | row for row in rows]), LIMITS
    ).to_pylist()


def test_the_text_of_a_version_that_does_not_tell_of_traces_is_still_judged() -> None:
    line = {name: value for name, value in LINE.items() if name != "together"}
    table = pa.Table.from_pylist([line | {"masked": "out of stock", "lines": 200}])

    (row,) = pattern_difference(table, LIMITS).to_pylist()

    assert row["change"] == "new"


def test_lines_of_one_trace_are_as_certain_as_one() -> None:
    apart, together = ({"masked": "x", "lines": 200, "together": of} for of in (0, 200 * 199))

    assert differences(apart)[0]["z"] == pytest.approx(
        differences(together)[0]["z"] * math.sqrt(200)
    )


def test_texts_of_one_pattern_are_one_row_with_the_commonest_example() -> None:
    names = [("ab.c", 40), ("bc.d", 90), ("cd.e", 20)]

    (row,) = differences(
        *(
            {"masked": f"no reply of {name}", "example": name, "lines": n, "traces": n}
            for name, n in names
        )
    )

    assert (row["pattern"], row["lines"], row["traces"]) == ("no reply of <*>", 150, 150)
    assert (row["example"], row["change"]) == ("bc.d", "new")


def test_services_do_not_mix() -> None:
    rows = differences(
        *(
            {"masked": f"no reply of {name}", "service": name, "lines": 9}
            for name in ("a.b", "c.d", "e.f")
        )
    )

    assert len(rows) == 3


def test_the_exception_inside_is_the_gist() -> None:
    (row,) = differences(
        {"masked": "wrapped; nested is java.io.EOFException: end <*>", "lines": 30}
    )

    assert row["gist"] == "EOFException: end <*>"


def test_no_rows_give_the_columns() -> None:
    nothing = pa.table({name: pa.array([], pa.string()) for name in ("service", "masked", "part")})

    assert pattern_difference(nothing, LIMITS).num_rows == 0
    assert rate_spike(nothing, {}).num_rows == 0


@pytest.mark.parametrize("name", ["pattern_difference", "rate_spike"])
def test_sql_and_step_mask_alike(name: str) -> None:
    sql = shipped(f"queries/logs/{name}.sql").read_text("utf-8")
    lines = ["took 3 ms at 10.0.0.1:80, /a/b; 1, 2, 3", 'id ffffffff it\'s "x"', "", "C:\\a b"]
    quoted = [f"'{text.replace(chr(39), chr(39) * 2)}'" for text in (MASK, LIST)]
    assert all(text in sql for text in quoted)

    once = f"regexp_replace(?, {quoted[0]}, '<*>', 'g')"
    asked = f"SELECT regexp_replace({once}, {quoted[1]}, '<*>', 'g')"
    found = [duckdb.execute(asked, [line]).fetchall()[0][0] for line in lines]

    assert found == masked(pa.array(lines)).to_pylist()
