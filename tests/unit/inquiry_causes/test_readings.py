"""What metrics said, by counters, histograms and levels."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.support.planted import SCHEMA, SECOND
from workspace_ext.inquiry.causes.readings import readings

POINTS = 20


def series(name: str, *, every: int = 10, **columns: Any) -> list[dict[str, Any]]:
    """Points of which the last half is in the window; columns are one value, or one a point."""
    return [
        {
            "part": "metric",
            "service": "cart",
            "name": name,
            "is_now": point >= POINTS // 2,
            "time_ns": point * every * SECOND,
            **{key: of[point] if isinstance(of, list) else of for key, of in columns.items()},
        }
        for point in range(POINTS)
    ]


def levels(*rows: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Of each metric, what `readings` says of the window."""
    table = pa.Table.from_pylist([row for each in rows for row in each], schema=SCHEMA)
    _, recent = readings(table)
    found: dict[str, list[float]] = {}
    for row in sorted(recent.to_pylist(), key=lambda row: row["time_ns"]):
        found.setdefault(row["name"], []).append(row["value"])
    return found


def summed(*steps: float) -> list[float]:
    """A counter that grows by these, over and over."""
    return [float(value) for value in 1000 + np.cumsum(np.resize(steps, POINTS))]


@pytest.mark.parametrize("text", [None, "counts"])
def test_a_counter_is_what_it_grew_by(text: str | None) -> None:
    assert levels(series("jobs", value=summed(3, 5), text=text))["jobs"] == [3, 5] * 5


def test_a_counter_begins_anew_with_its_process() -> None:
    counter = summed(3, 5)
    counter[15:] = [value - counter[14] for value in counter[15:]]
    assert levels(series("jobs_total", value=counter))["jobs_total"] == [3, 5] * 5


def test_what_falls_is_a_level() -> None:
    wave = [float(point % 7) for point in range(POINTS)]
    assert levels(series("depth", value=wave))["depth"] == wave[10:]


def test_a_missing_reading_makes_no_peak() -> None:
    rows = series("jobs", value=summed(4))
    assert levels(rows[:13] + rows[15:])["jobs"] == [4] * 8


def test_a_histogram_tells_how_long_how_many_and_how_many_failed() -> None:
    well = series("rpc", text="counts", span_id="ok", failed=False, count=summed(8), sum=summed(4))
    badly = series("rpc", text="counts", span_id="5", failed=True, count=summed(2), sum=summed(1))
    found = levels(well, badly[15:])
    assert found["rpc"] == [0.5] * 5 + [pytest.approx(1020 / 1040)] + [0.5] * 4
    assert found["rpc calls"] == [8] * 5 + [8 + badly[15]["count"]] + [10] * 4
    assert found["rpc errors"] == [0] * 5 + [badly[15]["count"]] + [2] * 4


def test_a_histogram_may_come_as_counters_of_its_own() -> None:
    took, came = series("rpc_sum", value=summed(4)), series("rpc_count", value=summed(8))
    bucket = series("rpc_bucket", value=summed(7))
    assert levels(took, came, bucket) == {"rpc": [0.5] * 10, "rpc calls": [8] * 10}
    assert levels(took[:12] + took[13:], came)["rpc"] == [0.5] * 9


def test_what_says_how_much_it_counted_since_is_taken_at_its_word() -> None:
    found = levels(series("rpc", text="delta", count=8.0, sum=2.0))
    assert found == {"rpc": [0.25] * 10, "rpc calls": [8] * 10}


def test_the_usual_level_is_that_before_the_window() -> None:
    wave = [float(point % 5) for point in range(POINTS)]
    usual, _ = readings(pa.Table.from_pylist(series("depth", value=wave, unit="1"), schema=SCHEMA))
    (row,) = usual.to_pylist()
    assert (row["unit"], row["median"], row["mean"]) == ("1", 2, 2)
    assert (row["low"], row["high"]) == (0, 4)


def test_no_metrics_have_no_levels() -> None:
    usual, recent = readings(SCHEMA.empty_table())
    assert (usual.num_rows, recent.num_rows) == (0, 0)
