"""When a series changed, and how sure that is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from workspace_ext.inquiry.steps.correlated import correlate
from workspace_ext.inquiry.steps.onset import FEWEST, find_onset
from workspace_ext.inquiry.steps.ranks import ranks_of, tail_of_student


def noise(seed: int, points: int, memory: float = 0.0) -> Any:
    values = np.random.default_rng(seed).normal(size=points)
    for place in range(1, points):
        values[place] += memory * values[place - 1]
    return values


@pytest.mark.parametrize("memory", [0.0, 0.5])
@pytest.mark.parametrize("wild", [False, True])
def test_planted_onsets_lie_in_their_interval(memory: float, wild: bool) -> None:
    held, near = [], []
    for seed in range(60):
        values, start = noise(seed, 60, memory), 15 + seed % 30
        values[start:] += 4 / math.sqrt(1 - memory**2)
        if wild:
            values[seed % 60] *= 1000
        found = find_onset(values)
        if found is not None and found.p <= 0.01:
            held.append(found.earliest <= start <= found.latest)
            near.append(abs(found.start - start) <= 1)

    assert len(held) >= 50
    assert np.mean(held) >= 0.95
    assert np.mean(near) >= 0.8


def test_a_stretch_that_ends_has_its_end() -> None:
    values = noise(3, 80)
    values[40:52] += 6

    found = find_onset(values)

    assert found is not None
    assert (found.start, found.end) == (40, 52)
    assert found.before < 1 < found.during


@pytest.mark.parametrize("memory", [0.0, 0.5])
def test_without_a_change_it_is_quiet(memory: float) -> None:
    quiet = [find_onset(noise(seed, 60, memory)) for seed in range(200)]

    assert np.mean([found is not None and found.p <= 0.01 for found in quiet]) <= 0.05


def test_missing_points_are_left_out() -> None:
    values = noise(5, 60)
    values[30:] += 8
    values[10:20] = math.nan

    found = find_onset(values)

    assert found is not None
    assert found.start == 30


@pytest.mark.parametrize(
    "values",
    [[], [1.0] * 30, [math.nan] * 30, list(range(FEWEST - 1)), [math.inf] * 30, [0.0] * 1000],
)
def test_nothing_to_find(values: list[float]) -> None:
    assert find_onset(values) is None


def test_the_unit_makes_no_difference() -> None:
    values = noise(7, 60)
    values[25:] += 4

    first, scaled = find_onset(values), find_onset(values * 1e6 + 5)

    assert first is not None
    assert scaled is not None
    assert (first.start, first.p) == (scaled.start, scaled.p)


def test_a_series_that_leads_is_found_with_its_lag() -> None:
    ahead = np.abs(noise(1, 80))
    behind = np.concatenate([[math.nan, math.nan], ahead[:-2]])

    found = correlate(np.stack([ahead, -ahead]), behind, 3)

    assert found.lag.tolist() == [2, 2]
    assert found.value.tolist() == [pytest.approx(1), pytest.approx(-1)]
    assert (np.abs(found.at_once) < 0.4).all()
    assert (found.p < 1e-6).all()
    assert found.points.tolist() == [78, 78]


def test_series_without_relation_are_told_so() -> None:
    found = [correlate(noise(i, 60, 0.6)[None], noise(i + 99, 60, 0.6), 2).p[0] for i in range(100)]

    assert np.mean([p <= 0.01 for p in found]) <= 0.03


@pytest.mark.parametrize("other", [noise(1, 30)[:5], np.ones(30), np.full(30, math.nan)])
def test_series_that_cannot_be_compared(other: np.ndarray) -> None:
    found = correlate(noise(1, 30)[None, : len(other)], other, 2)

    assert np.isnan(found.value).all()
    assert np.isnan(found.p).all()


def test_ranks_and_tails() -> None:
    assert ranks_of(np.array([3.0, 1.0, 3.0])).tolist() == [2.5, 1, 2.5]
    assert tail_of_student(2.0, 10) == pytest.approx(0.0734, rel=0.02)
    assert tail_of_student(0.0, 10) == 1
