"""When silence is a gap, and when it is not."""

from __future__ import annotations

import numpy as np
import pytest

from workspace_ext.foundation.clock import Window
from workspace_ext.telemetry.catalog.gaps import Gap, Profile, minutes_of, profile_of, profile_sql
from workspace_ext.telemetry.schema import SIGNALS


def profile(signal: str = "spans", **services: list[int]) -> Profile:
    """Counts by minute, from minute 0."""
    found: dict[str | None, tuple[np.ndarray, np.ndarray]] = {}
    for service, counts in services.items():
        minutes = np.flatnonzero(counts)
        found[service] = minutes.astype(np.int64), np.array(counts, np.int64)[minutes]
    return Profile(signal, found)


def found(made: Profile) -> list[tuple[str | None, int, int, bool]]:
    return [(g.service, g.start_ns // 60_000_000_000, g.minutes, g.alone) for g in made.gaps()]


STEADY = [20] * 12


@pytest.mark.parametrize(
    ("counts", "gaps"),
    [
        ([20] * 12, []),
        ([20] * 5 + [0] * 2 + [20] * 5, [("cart", 5, 2, True)]),
        (
            [20, 20, 0, 20, 20, 20, 20, 0, 0, 20, 20, 20],
            [("cart", 2, 1, True), ("cart", 7, 2, True)],
        ),
        ([20] * 7 + [0] * 5, [("cart", 7, 4, True)]),  # up to the others' last but one minute
        ([20] * 6 + [0] * 6, []),  # silent in half of the minutes: nothing is usual
        ([0] * 3 + [20] * 9, [("cart", 1, 2, True)]),
        ([2] * 5 + [0] * 4 + [2] * 3, []),  # 8 expected: once in 3,000 times
        ([3] * 5 + [0] * 4 + [3] * 3, [("cart", 5, 4, True)]),
        ([50, 0, 0, 0, 0, 0, 50, 0, 0, 0, 0, 50], []),  # no usual rate: a job that runs at times
        ([1, 60, 5, 40, 2, 0, 90, 3, 70, 1, 30, 8], []),  # bursts
        ([0] * 12, []),
    ],
)
def test_a_gap_is_silence_that_chance_does_not_explain(
    counts: list[int], gaps: list[tuple[str, int, int, bool]]
) -> None:
    assert found(profile(cart=counts, stock=STEADY)) == gaps


def test_silence_of_all_services_is_told_as_such() -> None:
    silent = [20] * 5 + [0] * 2 + [20] * 5
    assert found(profile(cart=silent, stock=silent)) == [
        ("cart", 5, 2, False),
        ("stock", 5, 2, False),
    ]


def test_a_metric_may_miss_one_minute() -> None:
    one, two = [20] * 5 + [0] + [20] * 6, [20] * 5 + [0] * 2 + [20] * 5
    assert found(profile("metrics", cart=one, stock=STEADY)) == []
    assert found(profile("metrics", cart=two, stock=STEADY)) == [("cart", 5, 2, True)]


def test_nothing_and_little_have_no_gaps() -> None:
    assert profile(cart=[20, 20, 0, 20], stock=[20] * 4).gaps() == []
    assert profile().gaps() == []
    assert profile(cart=[20, 0]).gaps() == []
    assert profile_of("spans", []).total == 0


def test_a_profile_is_of_whole_minutes() -> None:
    window = Window.parse("1970-01-01T00:01:30Z/1970-01-01T00:03:00.000000001Z")
    assert minutes_of(window) == (1, 4)
    assert all(name in SIGNALS for name in ("spans", "logs", "metrics"))
    assert "GROUP BY" in profile_sql("spans")


def test_how_a_gap_travels() -> None:
    assert Gap("cart", 60_000_000_000, 2, 12.0, alone=True).to_dict() == {
        "start": "1970-01-01T00:01:00Z",
        "minutes": 2,
        "usual_per_minute": 12.0,
        "only_this_service": True,
    }
