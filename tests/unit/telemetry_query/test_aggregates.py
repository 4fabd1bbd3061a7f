"""What is kept of large results: the same in any order and any batches, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from workspace_ext.inquiry.archive.compare import TOLERANCE, Result, compare
from workspace_ext.protocol.messages import Compare
from workspace_ext.telemetry.query.aggregates import Aggregates, in_order
from workspace_ext.telemetry.query.digest import ResultDigest

ROWS = 20_000
NUMBERS = np.random.default_rng(7).gamma(2.0, 50.0, ROWS)
THEN = pa.table(
    {
        "service": [f"service-{n % 7}" for n in range(ROWS)],
        "trace": [f"{n:032x}" for n in range(ROWS)],
        "n": list(range(ROWS)),
        "ms": NUMBERS.tolist(),
    }
)


def kept(table: pa.Table, *, size: int = 3000, free: bool = True) -> Result:
    digest, aggregates = ResultDigest(table.schema), Aggregates(table.schema)
    for batch in table.to_batches(max_chunksize=size):
        digest.update(batch)
        aggregates.update(batch)
    columns = digest.columns()
    told = aggregates.to_dict(columns) if free else in_order(columns)
    return Result(table.num_rows, digest.digest(), None, told)


def mode(name: Any) -> Compare:
    return {"mode": name, "reason": "the query says so"}


def turned(table: pa.Table) -> pa.Table:
    return table.take(pa.array(range(table.num_rows - 1, -1, -1)))


def with_ms(numbers: Any) -> pa.Table:
    return THEN.set_column(3, "ms", pa.array(numbers, pa.float64()))


def test_another_order_is_known_by_the_rows_hashes() -> None:
    found = compare(kept(THEN), kept(turned(THEN), size=777), mode("unordered"))
    assert (found.rung, found.same) == ("unordered", True)


def test_drift_of_floats_is_within_tolerance_in_any_order() -> None:
    drifted = turned(with_ms(NUMBERS * (1 + 1e-14)))
    found = compare(kept(THEN), kept(drifted), mode("tolerance"))
    assert (found.rung, found.same) == ("tolerance", True)
    assert found.drift is not None
    assert found.drift < TOLERANCE
    assert "too many rows" in found.reason  # by sums, and it says so
    assert compare(kept(THEN), kept(drifted), mode("unordered")).same is False


@pytest.mark.parametrize(
    ("other", "column"),
    [
        (with_ms(np.where(np.arange(ROWS) == 5, NUMBERS + 1, NUMBERS)), "ms"),
        (with_ms(NUMBERS[::-1].copy()), "ms"),  # the same values, in other rows
        (with_ms([None, *NUMBERS[1:]]), "ms"),
        (THEN.set_column(2, "n", pa.array([*range(ROWS - 1), 7])), "n"),
        (THEN.set_column(0, "service", pa.array(["x"] * ROWS)), "service"),
        (THEN.set_column(2, "n", pa.array([1, 0, *range(2, ROWS)])), "n"),  # two rows swapped it
    ],
)  # fmt: skip
def test_what_differs_is_named(other: pa.Table, column: str) -> None:
    found = compare(kept(THEN), kept(other), mode("tolerance"))
    assert (found.rung, found.same) == ("shape", False)
    assert f"column {column}" in found.reason
    assert compare(kept(THEN), kept(other), mode("shape")).same is True


def test_where_rows_come_in_one_order_the_column_is_named() -> None:
    found = compare(kept(THEN, free=False), kept(turned(THEN), free=False), mode("ordered"))
    assert found.same is False
    assert "column service, trace, n, ms differs" in found.reason


def test_nested_columns_are_not_looked_into_and_that_is_said() -> None:
    nested = THEN.append_column("tags", pa.array([[n] for n in range(ROWS)]))
    found = compare(kept(nested), kept(turned(nested)), mode("unordered"))
    assert found.same is None
    assert "tags" in found.reason


def test_other_columns_are_different() -> None:
    other = THEN.rename_columns(["service", "trace", "n", "seconds"])
    assert compare(kept(THEN), kept(other), mode("shape")).rung == "different"


def test_what_is_recorded_stays_what_it_is() -> None:
    """Test vectors: archives hold these; a change of them makes old ones differ."""
    at = datetime(2024, 5, 1, tzinfo=UTC)
    table = pa.table(
        {
            "b": pa.array([True, None]),
            "i": pa.array([1, -1], pa.int32()),
            "f": [0.5, float("inf")],
            "s": ["ä", ""],
            "d": [Decimal("1.50"), None],
            "t": pa.array([at, None], pa.timestamp("us", "UTC")),
            "y": pa.array([b"\x00", b"\x00\x00"]),
        }
    )
    told = kept(table).aggregates
    assert told is not None
    assert {each["name"]: each["bag"] for each in told["columns"]} == BAGS
    assert (told["rows"], told["exact"]) == ROWS_BAGS
    floats = told["columns"][2]
    assert [floats[name] for name in ("nulls", "infinite", "min", "max", "sum", "size")] == [
        *(0, 1, "0.5", "inf", "0.5", "0.5")
    ]


BAGS = {
    "b": "2847604fe19df2e8",
    "i": "0b626c1a02d6c360",
    "f": "d29781f794cf3c45",
    "s": "d1171825040014b9",
    "d": "33201068c928dc34",
    "t": "c81b501cfb1bb658",
    "y": "5dab8c766900317a",
}
ROWS_BAGS = ("16ba5f03485634a6", "c6ba110d88d5acb3")
