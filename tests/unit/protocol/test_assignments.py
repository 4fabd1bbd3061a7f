"""``name=value``: what is text, what is JSON, and what is refused."""

from __future__ import annotations

import pytest

from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol.assignments import read_assignments


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("cart", "cart"),
        ("5", 5),
        ("0.5", 0.5),
        ("true", True),
        ('["a", 1]', ["a", 1]),
        ('"5"', "5"),
        ("a=b", "a=b"),
        ("", ""),
        ("2024-05-01T10:00:00Z/2024-05-01T11:00:00Z", "2024-05-01T10:00:00Z/2024-05-01T11:00:00Z"),
    ],
)
def test_values(said: str, value: object) -> None:
    assert read_assignments([f"name={said}"], option="-p") == {"name": value}


def test_the_last_one_counts() -> None:
    assert read_assignments(("a=1", "b=2", "a=3"), option="-p") == {"a": 3, "b": 2}
    assert read_assignments((), option="-p") == {}


@pytest.mark.parametrize("pair", ["cart", "=cart", "a b=1", "$a=1", ""])
def test_what_is_no_parameter(pair: str) -> None:
    with pytest.raises(BadInput, match="is no parameter") as caught:
        read_assignments([pair], option="--params")
    assert caught.value.hint == "write it as --params name=value"
