"""Which rectangles go, against a count cell by cell."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.retention.model import Policy, Spared
from workspace_ext.telemetry.retention.plan import pieces

MOST = 12

windows = st.tuples(st.integers(0, MOST - 1), st.integers(1, MOST)).map(
    lambda pair: Window(pair[0] * 1000, (pair[0] + pair[1]) * 1000)
)
spared = st.builds(
    Spared,
    st.sampled_from(["spans", "logs"]),
    st.none() | st.lists(windows, min_size=1, max_size=3).map(tuple),
    st.integers(0, 6),
    st.just("somebody"),
)


@given(st.lists(spared, max_size=4), st.integers(0, 6))
def test_each_cell_goes_once_or_is_needed(needed: Sequence[Spared], upto: int) -> None:
    found = pieces("spans", needed, upto)
    for time in range(-1, 2 * MOST + 1):
        for batch in range(1, 8):
            goes = [
                piece
                for piece in found
                if piece.from_batch <= batch <= piece.upto_batch
                and (piece.from_us is None or piece.from_us <= time)
                and (piece.upto_us is None or time < piece.upto_us)
            ]
            is_needed = any(
                each.table == "spans"
                and batch <= each.pin
                and (
                    each.windows is None
                    or any(w.start_ns <= time * 1000 < w.end_ns for w in each.windows)
                )
                for each in needed
            )
            assert len(goes) == (batch <= upto and not is_needed)


def test_a_window_within_a_microsecond_is_widened_to_it() -> None:
    needed = [Spared("spans", (Window(1_500, 2_500),), 9, "somebody")]
    before, after = pieces("spans", needed, 5)
    assert (before.from_us, before.upto_us, after.from_us, after.upto_us) == (None, 1, 3, None)


@pytest.mark.parametrize(
    ("given", "age_ns", "size"),
    [
        ({"older_than": "30d"}, 30 * 86_400 * 10**9, None),
        ({"older_than": "1.5h"}, 5400 * 10**9, None),
        ({"larger_than": "50GB"}, None, 50 * 10**9),
        ({"larger_than": "500 mb"}, None, 500 * 10**6),
    ],
)
def test_policies(given: dict[str, str], age_ns: int | None, size: int | None) -> None:
    policy = Policy.parse(given)
    assert (policy.age_ns, policy.size_bytes) == (age_ns, size)
    assert Policy.parse(policy.to_dict()) == policy


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"older_than": "30"},
        {"older_than": "0d"},
        {"older_than": "-1d"},
        {"older_than": "9999999w"},
        {"older_than": 30},
        {"larger_than": "50"},
        {"larger_than": "many"},
        {"older_than": "1d", "even_unarchived": "yes"},
        {"younger_than": "1d"},
    ],
)
def test_wrong_policies(given: dict[str, object]) -> None:
    with pytest.raises(BadInput) as raised:
        Policy.parse(given)
    assert raised.value.hint
