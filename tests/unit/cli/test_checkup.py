"""What the doctor makes of a broker's account of its health."""

from __future__ import annotations

from typing import Any

import pytest

from workspace_ext.cli.checkup import judge

WELL: dict[str, Any] = {
    "now": "2026-01-01T00:00:00Z",
    "newest_record": "2025-12-31T23:59:59Z",
    "lag_seconds": 0.4,
    "held_bytes": 0,
    "failing": None,
    "merge_failures": 0,
    "refused": {},
    "sizes": {"journal": 1000},
    "free_bytes": 10**12,
}


def levels(**changed: Any) -> dict[str, str]:
    return {check.name: check.level for check in judge({**WELL, **changed})}


def test_all_is_well() -> None:
    assert set(levels().values()) == {"OK"}
    assert set(levels(newest_record=None).values()) == {"OK"}


@pytest.mark.parametrize(
    ("changed", "name", "level"),
    [
        ({"failing": "no space left", "merge_failures": 1}, "merges", "FAIL"),
        ({"merge_failures": 3}, "merges", "WARN"),
        ({"lag_seconds": 30}, "ingest lag", "WARN"),
        ({"lag_seconds": 3000}, "ingest lag", "FAIL"),
        ({"sizes": {"journal": 10**9}}, "journal", "WARN"),
        ({"refused": {"merge": 2}}, "refusals", "WARN"),
        ({"newest_record": "2026-01-01T01:00:00Z"}, "clock", "WARN"),
    ],
)
def test_trouble_has_a_level_and_a_hint(changed: dict[str, Any], name: str, level: str) -> None:
    assert levels(**changed)[name] == level
    assert all(check.hint for check in judge({**WELL, **changed}))
