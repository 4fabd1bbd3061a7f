"""How good data is, as the table that shell and notebook show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COLUMNS = ("signal", "service", "rows", "behind (s)", "gaps (min)", "late", "twice")


def quality_rows(told: Mapping[str, Any]) -> list[list[Any]]:
    """A row for each signal of each service, under `COLUMNS`.

    Args:
        told: What `BrokerClient.quality` gives.
    """
    return [
        [
            each["signal"],
            each["service"],
            each["rows"],
            each["behind_seconds"],
            sum(gap["minutes"] for gap in each["gaps"]),
            f"{each['late_share']:.1%}",
            f"{each['duplicate_share']:.1%}",
        ]
        for each in told["signals"]
    ]
