"""What a template requires is looked at once for windows that are almost the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.desk import Desk

PARTLY = "the window is partly without spans: there are some from 10:00:00 to 10:19:59"


@pytest.fixture
def looks(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, object]]:
    """The values of each look at how complete the data is."""
    seen: list[Mapping[str, object]] = []
    runner = desk.queries._runner
    look = runner.look

    def counting(sql: str, values: Mapping[str, object], **how: Any) -> Any:
        if "AS filled" in sql:
            seen.append(values)
        return look(sql, values, **how)

    monkeypatch.setattr(runner, "look", counting)
    return seen


def warnings(desk: Desk, window: str) -> list[str]:
    _, answer = desk.answer(template="tests.slow", params={"window": window})
    return [text for text in answer["verdict"]["warnings"] if "only" in text or "without" in text]


def test_windows_that_differ_by_little_are_looked_at_once(
    desk: Desk, looks: list[Mapping[str, object]]
) -> None:
    for end in ("10:16:00Z", "10:15:59Z", "10:15:59.9Z", "10:16:00.5Z"):
        assert warnings(desk, f"2024-05-01T10:01:00Z/2024-05-01T{end}") == []

    assert len(looks) == 1


@pytest.mark.parametrize(
    ("window", "warning"),
    [
        ("09:50:00Z/2024-05-01T10:20:00Z", PARTLY),
        ("09:50:00Z/2024-05-01T10:20:01Z", PARTLY),
        ("10:03:00Z/2024-05-01T10:03:29Z", "the window has only 29 spans"),
        ("10:03:00Z/2024-05-01T10:03:30Z", None),
        ("09:57:00Z/2024-05-01T10:20:00Z", None),
    ],
)
def test_what_there_is_to_warn_of_is_told_of_the_very_window(
    desk: Desk, looks: list[Mapping[str, object]], window: str, warning: str | None
) -> None:
    expected = [] if warning is None else [warning]

    assert warnings(desk, f"2024-05-01T{window}") == expected
    looked = len(looks)
    assert warnings(desk, f"2024-05-01T{window}") == expected
    assert len(looks) == looked
