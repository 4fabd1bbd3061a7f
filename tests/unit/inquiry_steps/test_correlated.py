"""Quantiles of short series, as numpy has them, and what counts as having left a level."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from workspace_ext.inquiry.steps.correlated import correlated, quantile


@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=130),
    st.floats(0.0, 1.0),
)
def test_a_quantile_is_numpys_to_the_last_bit(values: list[float], share: float) -> None:
    ordered = np.sort(np.asarray(values))
    rows = np.stack([np.append(ordered, np.nan)])
    assert quantile(rows, np.array([len(values)]), share)[0] == np.quantile(ordered, share)


def test_what_counts_seldom_has_not_left_its_level_when_it_counts_once() -> None:
    symptom = [1.0, 2.0, 1.0, 3.0, 1.0, 2.0, 1.0, 2.0, 9.0, 8.0, 9.0, 8.0]
    errors = [0.0, 0.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0]
    rows = [
        {"part": part, "service": "pay", "pod": "pay-1", "place": "pay-1"}
        | {"name": "errors", "bucket": place}
        | {"value": value, "is_now": place >= 8 if part == "metric" else None}
        for part, values in (("symptom", symptom), ("metric", errors))
        for place, value in enumerate(values)
    ]

    (row,) = correlated(
        pa.Table.from_pylist(rows), {"bucket": 60, "max_lag": 0, "min_shift": 4}
    ).to_pylist()

    assert (row["before"], row["during"]) == (0, 1)
    assert row["shift"] < 4


def test_two_places_of_a_pod_are_two_series_where_the_text_tells_of_places() -> None:
    points = [
        {"part": "metric", "service": "pay", "pod": "p", "place": f"p/{container}", "name": "cpu"}
        | {"bucket": place, "value": float(place * of), "is_now": place >= 8}
        for container, of in (("app", 1), ("proxy", -1))
        for place in range(12)
    ]
    symptom = [
        {"part": "symptom", "bucket": place, "value": float(place % 5)} for place in range(12)
    ]
    params = {"bucket": 60, "max_lag": 0, "min_shift": 4}
    table = pa.Table.from_pylist([*points, *symptom])

    assert sorted(row["label"] for row in correlated(table, params).to_pylist()) == [
        "p/app cpu",
        "p/proxy cpu",
    ]
    older = pa.Table.from_pylist([*points[:12], *symptom]).drop_columns("place")
    (row,) = correlated(older, params).to_pylist()
    assert row["label"] == "p cpu"
