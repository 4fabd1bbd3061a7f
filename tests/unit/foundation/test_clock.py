"""Times with their offsets, to the nanosecond, and windows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspace_ext.foundation.clock import Window, parse_rfc3339, to_rfc3339, united
from workspace_ext.foundation.errors import BadInput

YEAR_1_NS, YEAR_9999_NS = -62_135_596_800_000_000_000, 253_402_300_799_999_999_999


@given(st.integers(YEAR_1_NS, YEAR_9999_NS))
def test_every_nanosecond_comes_back(time_ns: int) -> None:
    assert parse_rfc3339(to_rfc3339(time_ns)) == time_ns


@pytest.mark.parametrize(
    "text",
    [
        "2023-01-29T09:03:53.5Z",
        "2023-01-29 09:03:53.500z",
        "2023-01-29T17:03:53.500000000+08:00",
        " 2023-01-29T04:03:53.5-0500 ",
    ],
)
def test_one_moment_is_written_in_many_ways(text: str) -> None:
    assert to_rfc3339(parse_rfc3339(text)) == "2023-01-29T09:03:53.5Z"


@pytest.mark.parametrize(
    "text", ["", "now", "2023-01-29", "2023-01-29T09:03:53", "2023-02-30T00:00:00Z"]
)
def test_no_time(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_rfc3339(text)
    assert caught.value.code == "bad_time"


def test_what_lacks_only_its_seconds_is_told_so() -> None:
    with pytest.raises(BadInput, match="is a time without seconds"):
        parse_rfc3339("2026-01-01T00:00Z")
    with pytest.raises(BadInput, match="is not a time with its offset"):
        parse_rfc3339("2026-01-01T00:00")


def test_a_window_in_each_form_is_the_same() -> None:
    window = Window.parse("2023-01-29T09:00:00Z/2023-01-29T09:10:00Z")
    assert Window.parse(window.to_dict()) == Window.parse(window) == window
    assert window.before() == Window.parse("2023-01-29T08:50:00Z/2023-01-29T09:00:00Z")


def test_a_window_may_reach_as_far_as_years_do() -> None:
    ever = Window.parse("0001-01-01T00:00:00Z/9999-12-31T23:59:59.999999999Z")
    assert Window.parse(ever.to_dict()) == ever
    assert [moment.isoformat() for moment in ever.moments()] == [
        "0001-01-01T00:00:00+00:00",
        "9999-12-31T23:59:59.999999+00:00",
    ]
    with pytest.raises(BadInput, match="no window as long as 2023-01-29T09:00:00Z to 9999"):
        Window.parse("2023-01-29T09:00:00Z/9999-12-31T23:59:59Z").before()


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        "2023-01-29T09:00:00Z",
        {"start": "2023-01-29T09:00:00Z"},
        "2023-01-29T09:00:00Z/2023-01-29T09:00:00Z",
        "2023-01-29T09:00:00Z/later",
    ],
)
def test_no_window(value: object) -> None:
    with pytest.raises(BadInput):
        Window.parse(value)


def test_united_windows_are_in_order_and_apart() -> None:
    late, early, touching = Window(50, 60), Window(10, 30), Window(30, 40)
    assert united([late, early, touching, Window(12, 20)]) == [Window(10, 40), late]
    assert united([]) == []
