"""Stated confidence against outcomes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspace_ext.inquiry.investigations.calibration import calibration

STATED = st.lists(st.tuples(st.integers(0, 100), st.booleans()), min_size=1, max_size=80)


def concluded(confidence: int | None, correct: bool | None) -> Any:
    return {"confidence_percent": confidence, "correct": correct}


@pytest.mark.parametrize(
    ("stated", "brier"),
    [
        ([(100, True)], 0.0),
        ([(100, False)], 1.0),
        ([(50, True), (50, False)], 0.25),
        ([(90, True), (90, True), (90, False)], (0.01 + 0.01 + 0.81) / 3),
    ],
)
def test_the_brier_score(stated: list[tuple[int, bool]], brier: float) -> None:
    found = calibration([concluded(*each) for each in stated])
    assert found.brier == pytest.approx(brier)
    assert found.says == f"n = {len(stated)}: says little"


def test_without_outcomes_there_is_no_score() -> None:
    found = calibration([concluded(80, None), concluded(None, None), {}])  # type: ignore[typeddict-item]
    assert (found.n, found.open, found.brier, found.base_rate) == (0, 1, None, None)
    assert found.says == "no conclusion has a known outcome yet"


@given(STATED)
def test_bins_hold_each_conclusion_once(stated: list[tuple[int, bool]]) -> None:
    found = calibration([concluded(*each) for each in stated])
    assert sum(each.n for each in found.bins) == found.n == len(stated)
    for each in found.bins:
        assert (each.stated is None) == (each.n == 0)
        assert each.stated is None or each.low <= each.stated <= each.high
    assert ("little" in found.says, "rough" in found.says) == (found.n < 10, 10 <= found.n < 30)
