"""What may be sent as a parameter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from workspace_kernel.values import to_wire

from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput

NOON = datetime(2023, 1, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("cart", "cart"),
        (True, True),
        (np.int64(3), 3),
        (np.float64(0.5), 0.5),
        (np.True_, True),
        (timedelta(minutes=2), 120.0),
        (NOON, "2023-01-30T12:00:00Z"),
        (pd.Timestamp("2023-01-30T20:00+08:00"), "2023-01-30T20:00:00+08:00"),
        ((NOON, NOON + timedelta(hours=1)), "2023-01-30T12:00:00Z/2023-01-30T13:00:00Z"),
        (Window(0, 10**9), {"start": "1970-01-01T00:00:00Z", "end": "1970-01-01T00:00:01Z"}),
        (pd.Series(["a", "b"]), ["a", "b"]),
        (np.array([1, 2]), [1, 2]),
        ({"a": np.int64(1)}, {"a": 1}),
    ],
)
def test_plain_json_comes_of_it(value: Any, sent: Any) -> None:
    assert to_wire(value) == sent
    assert type(to_wire(value)) is type(sent)


def test_a_time_without_offset_is_refused() -> None:
    with pytest.raises(BadInput, match=r"window: the time .* has no offset") as caught:
        to_wire((datetime(2023, 1, 30), datetime(2023, 1, 31)), "window")  # noqa: DTZ001
    assert "UTC" in caught.value.hint


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(BadInput, match="when: a object cannot be sent"):
        to_wire(object(), "when")
